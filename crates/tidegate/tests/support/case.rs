//! What a case file says, as values. It is read by `case_format` and `step_format` and played by `run`.

/// One behaviour: the configuration, the scripts of both sides, and what must be seen.
pub(crate) struct Case {
    /// The comment that opens the file: the behaviour in a sentence.
    pub(crate) title: String,
    /// What is missing where it cannot run, e.g. `ipv6`.
    pub(crate) needs: Vec<String>,
    pub(crate) config: Config,
    /// What `write next config` puts in its place.
    pub(crate) next: Option<Config>,
    pub(crate) files: Vec<File>,
    pub(crate) origins: Vec<Origin>,
    pub(crate) client: Vec<Step>,
    /// Every line of the access log, in order; `None` if the case does not say.
    pub(crate) access_log: Option<Vec<String>>,
    /// The error log's lines, in order: unlisted ones of level `warn` and above fail; `None` if the case does not say.
    pub(crate) error_log: Option<Vec<String>>,
    /// Every failure that the gateway's error log names, in order; `None` if the case does not say.
    pub(crate) failures: Option<Vec<String>>,
    pub(crate) differ: Vec<Difference>,
}

/// Configuration text, and how much of a file it is.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) scope: Scope,
    pub(crate) text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The whole file.
    File,
    /// What stands in `http { }`.
    Http,
    /// What stands in the only `server { }`.
    Server,
}

/// Something below the case's directory.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Bytes(Vec<u8>),
    Directory,
    /// A symbolic link to this.
    Link(String),
}

/// A server that the gateway talks to.
pub(crate) struct Origin {
    pub(crate) name: String,
    pub(crate) door: Door,
    pub(crate) script: Script,
}

/// Where an origin is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Tcp,
    Ipv6,
    Unix,
    /// A bound port on which nothing listens.
    Refused,
    /// The same, until the moment `open`.
    Late,
}

/// What an origin does with the requests and connections it gets.
pub(crate) enum Script {
    /// Answers each request with its method, target and body.
    Echo,
    /// Runs a block for each request, whichever connection brings it.
    Requests(Blocks),
    /// Runs a block for each connection, from its first byte.
    Connections(Blocks),
}

/// Blocks of steps that are used up in order; then `every` serves, if there is one.
pub(crate) struct Blocks {
    pub(crate) first: Vec<Vec<Step>>,
    pub(crate) every: Option<Vec<Step>>,
}

/// One thing that a client or an origin does. Where it stands in the file comes with it.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) act: Act,
}

#[derive(Clone)]
pub(crate) enum Act {
    Wire(WireAct),
    Client(ClientAct),
    Origin(OriginAct),
    /// Holds of what was received last.
    Expect(Expect),
    /// Says that a moment has come.
    Notify(String),
    /// Waits until the other side says so.
    Await(String),
}

/// What either side does with a connection.
#[derive(Clone)]
pub(crate) enum WireAct {
    /// A peer that has closed does not make it fail: what is received afterwards tells.
    Send(Vec<u8>),
    Receive(Receive),
    /// Sends these bytes again and again, a little at a time, until the peer ends the connection.
    Drip(Vec<u8>),
    /// Sends the end of the stream and goes on reading.
    Shutdown,
    Close,
    Reset,
}

#[derive(Clone)]
pub(crate) enum Receive {
    /// A message with its body.
    Message,
    /// The answer to a HEAD request.
    Bodiless,
    /// A head only; the body's bytes are received by what follows.
    Head,
    /// Exactly these bytes.
    Exactly(Vec<u8>),
    /// Everything up to these bytes.
    Until(Vec<u8>),
    /// Everything up to a clean end of the stream.
    Eof,
    /// Everything up to the end of the stream, clean or not.
    End,
}

#[derive(Clone)]
pub(crate) enum ClientAct {
    Connect {
        name: String,
        to: String,
    },
    /// Goes on with a connection opened before.
    On(String),
    /// Sends a request and receives its answer.
    Request(Request),
    /// Sends the request again and again until this holds.
    Repeat(Request, Until),
    /// Opens so many connections, asks `/` on each and keeps them; or asks again on those that are kept.
    Crowd {
        count: usize,
        again: bool,
    },
    Kill(Signal),
    WriteNextConfig,
    Rename {
        from: String,
        to: String,
    },
    /// Waits until a file below the case's directory has this text.
    FileShows {
        file: String,
        text: String,
    },
    /// Waits for the server's end, and for this exit code.
    Exits(i32),
    /// The server's largest resident size so far is below this many MiB.
    MemoryBelow(u64),
}

/// What ends a repeated request.
#[derive(Clone)]
pub(crate) enum Until {
    Answer(Expect),
    FileShows { file: String, text: String },
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) bodiless_answer: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Hup,
    Quit,
    Term,
    Int,
    Usr1,
    Usr2,
    Winch,
}

#[derive(Clone)]
pub(crate) enum OriginAct {
    /// A complete answer with Content-Length.
    Answer { status: String, fields: Vec<String>, body: Vec<u8> },
    /// Answers with the method, the target and the body received.
    Echo,
    /// Reads and drops until the peer closes or the case ends.
    Stall,
}

/// What must hold of a message.
#[derive(Clone)]
pub(crate) enum Expect {
    /// The start line without its version, or the request's method and target; `...` stands for anything, `|` for or.
    Start(String),
    Field(String, String),
    NoField(String),
    Body(Vec<u8>),
    BodyHas(Vec<u8>),
    BodySize(usize),
    Trailer(String, String),
    /// The message ended as its framing says.
    Complete,
    /// It did not, and the peer can see it.
    Truncated,
}

/// A difference that is known and accepted, with its reason.
pub(crate) struct Difference {
    /// As the comparison names it, e.g. `response 1 field server`; `*` stands for anything.
    pub(crate) place: String,
    pub(crate) reason: String,
}
