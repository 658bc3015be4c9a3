// The types of tidegate-fetch.js. Times are in milliseconds.

/** How many retries there may be, by origin. */
export interface BudgetSettings {
  /** Retries for each hundred exchanges of the last ten seconds. */
  percent: number;
  /** Retries a second that are allowed whatever the traffic. */
  floor: number;
}

/** When an origin is left alone. Each attempt counts. */
export interface BreakerSettings {
  /** When so many of a hundred attempts of the last ten seconds failed. */
  percent: number;
  /** Never with fewer attempts than this in the last ten seconds. */
  volume: number;
  /** For so long at first; then one attempt finds out whether it is back, and each that fails doubles the time. */
  open: number;
  /** The longest that it is left alone. */
  longest: number;
}

/** What the retries depend on. */
export interface Settings {
  /** The most attempts, the first included. */
  attempts: number;
  /** The most that the first retry waits; doubles with each one after it. */
  base: number;
  /** The most that any retry waits, unless the server asks for more. */
  cap: number;
  /** How long one attempt may take until the head of the answer is there. */
  attemptTimeout: number;
  /** How long all attempts and waits may take, until the head of the answer is there. */
  totalTimeout: number;
  /** The statuses that are tried again and, in the end, thrown. */
  statuses: readonly number[];
  budget: BudgetSettings;
  breaker: BreakerSettings;
}

/** What is about to be tried again. */
export interface Retry {
  /** The number of the retry, from 1. */
  attempt: number;
  /** How long is waited before it. */
  delay: number;
  /** What the attempt before it met. */
  error: GatewayError;
}

export interface ResilientOptions extends RequestInit, Partial<Settings> {
  /** Makes a request of any method one that may be repeated: `true` for a new key, or a key of your own. */
  idempotencyKey?: boolean | string;
  /** Called before each wait; what it throws ends the call. */
  onRetry?: (retry: Retry) => void;
  /** Whether retries say so with `Retry-Attempt`: unless said, only to the page's own origin, and always outside browsers. */
  attemptHeader?: boolean;
  /** What makes the single attempts, in place of the global fetch. */
  fetch?: (request: Request) => Promise<Response>;
}

/** RFC 9457, with what Tidegate adds. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  /** Tidegate's stable code of the cause: `TG-2001`. */
  code?: string;
  /** Tidegate's name of the cause: `connect_refused`. */
  cause?: string;
  request_id?: string;
  [member: string]: unknown;
}

/**
 * Why there is no answer that could be used. `kind` says where it ended: an answer with one of `statuses`, no answer (`network`),
 * none in time (`timeout`), no network of our own (`offline`), or an origin that is left alone for now (`breaker`).
 */
export class GatewayError extends Error {
  readonly name: 'GatewayError';
  readonly kind: 'status' | 'network' | 'timeout' | 'offline' | 'breaker';
  /** How many attempts were made. */
  readonly attempts?: number;
  readonly status?: number;
  /** The last answer, its body unread. */
  readonly response?: Response;
  /** What the server asks to wait. */
  readonly retryAfter?: number;
  /** Tidegate's code (`TG-2001`), that of the problem details, or Node's (`ECONNREFUSED`). */
  readonly code?: string;
  /** The error type of `Proxy-Status` (RFC 9209): `connection_refused`. */
  readonly type?: string;
  /** The problem details of the last answer. */
  readonly problem?: Problem;
  /** Whether the request may have reached an application. */
  readonly sent?: boolean;
  /** Whether the request could be sent twice without harm. */
  readonly idempotent?: boolean;
}

export const defaults: Readonly<Settings>;

/** What people are told; assign to it to translate. */
export const messages: Record<'offline' | 'unreachable' | 'down' | 'busy' | 'slow' | 'brokeOff' | 'other', string>;

/**
 * fetch, with patience. Resolves with the first answer whose status is none of `statuses`; rejects with a `GatewayError`, with the
 * reason of an aborted `signal`, or with a `TypeError` for arguments that fetch does not take.
 */
export function resilientFetch(input: string | URL | Request, options?: ResilientOptions): Promise<Response>;

/** One sentence for the person in front of the screen, whatever was thrown. */
export function userMessage(error: unknown): string;

// The rules, for tests and for other clients.

export function decide(situation: {
  /** Nothing where there was no answer. */
  status?: number;
  sent: boolean;
  idempotent: boolean;
  replayable: boolean;
  /** Attempts that may be made, the one that ended included. */
  left: number;
  statuses: readonly number[];
}): boolean;
export function isIdempotent(method: string): boolean;
/** `chance` lies between 0 and 1; `retry` counts from 0. */
export function backoff(bounds: { base: number; cap: number }, retry: number, retryAfter: number | undefined, chance: number): number;
/** `now` counts from the beginning of 1970. */
export function parseRetryAfter(value: string | null, now: number): number | undefined;
export function proxyStatus(value: string | null): { type?: string; code?: string; sent: boolean };
/** Two counts of the last ten seconds; as a budget, exchanges and retries. */
export class Window {
  constructor(now: number);
  /** Adds to both, and returns the sums. */
  add(now: number, one: number, two: number): [number, number];
}
/** Takes a retry; false when there is none left. */
export function takeRetry(budget: Window, settings: BudgetSettings, now: number): boolean;
export class Breaker {
  constructor(now: number);
  /** A permit for one attempt, to be reported whatever becomes of it; nothing if none may be made now. */
  admit(now: number): object | undefined;
  /** `failed` is nothing where the end says nothing of the origin. */
  report(settings: BreakerSettings, permit: object | undefined, failed: boolean | undefined, now: number): void;
}
