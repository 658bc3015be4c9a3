//! A day of a shop's traffic as nginx would have logged it: three endpoints, a deploy in the morning, an outage after lunch,
//! slow reports in the afternoon, a few large heads. The same always. Not here: who reads it.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// 2026-11-24 00:00:00.
const DAY: &str = "24/Nov/2026";
const ERROR_DAY: &str = "2026/11/24";
const SECONDS: u64 = 86_400;
const ENDPOINTS: [&str; 3] = ["10.0.3.11:8080", "10.0.3.12:8080", "10.0.3.13:8080"];

/// Path (`#` stands for a number, `@` for an id), how often of a thousand, milliseconds, method.
const ROUTES: [(&str, u64, u64, &str); 16] = [
    ("/", 120, 40, "GET"),
    ("/products/#", 210, 55, "GET"),
    ("/products/#/reviews?page=#", 70, 80, "GET"),
    ("/search?q=@", 90, 140, "GET"),
    ("/cart", 80, 30, "GET"),
    ("/cart/items", 50, 45, "POST"),
    ("/api/orders/#", 60, 35, "GET"),
    ("/api/orders", 25, 180, "POST"),
    ("/api/users/@", 45, 25, "GET"),
    ("/login", 20, 110, "POST"),
    ("/account", 30, 60, "GET"),
    ("/reports/#", 8, 900, "GET"),
    ("/static/app.@.js", 80, 2, "GET"),
    ("/static/style.@.css", 60, 2, "GET"),
    ("/images/#.webp", 42, 3, "GET"),
    ("/healthz", 10, 1, "GET"),
];

/// A log to be written.
pub(super) struct Traffic {
    timed: bool,
    random: u64,
    connection: u64,
}

/// One request as it went.
struct Request {
    second: u64,
    client: String,
    line: String,
    status: u16,
    micros: u64,
    endpoint: String,
    bytes: u64,
}

impl Traffic {
    /// In the combined form, which everybody reads.
    pub(super) fn combined() -> Self {
        Self { timed: false, random: 0x9e37_79b9_7f4a_7c15, connection: 0 }
    }

    /// With `$request_time` and `$upstream_addr` behind it.
    pub(super) fn timed() -> Self {
        Self { timed: true, ..Self::combined() }
    }

    /// Writes `access.log` of about so many bytes, and `error.log`, into a folder. Returns the access log's lines.
    pub(super) fn write(mut self, folder: &Path, bytes: u64) -> io::Result<u64> {
        fs::create_dir_all(folder)?;
        let mut access = BufWriter::with_capacity(1 << 20, File::create(folder.join("access.log"))?);
        let mut errors = BufWriter::new(File::create(folder.join("error.log"))?);
        let wanted = bytes / if self.timed { 200 } else { 178 };
        let mut lines = 0;
        for second in 0..SECONDS {
            self.notices(second, &mut errors)?;
            let until = wanted * share_until(second + 1) / 1_000_000;
            while lines < until {
                self.request(second, &mut access, &mut errors)?;
                lines += 1;
            }
        }
        access.flush()?;
        errors.flush()?;
        Ok(lines)
    }

    fn notices(&mut self, second: u64, errors: &mut impl Write) -> io::Result<()> {
        if second == 36_655 {
            writeln!(
                errors,
                "{ERROR_DAY} {} [notice] 712#712: signal 1 (SIGHUP) received from 1, reconfiguring",
                clock(second)
            )?;
        }
        Ok(())
    }

    fn request(&mut self, second: u64, access: &mut impl Write, errors: &mut impl Write) -> io::Result<()> {
        let (path, _, millis, method) = self.route();
        let line = format!("{method} {} HTTP/1.1", self.path(path));
        let endpoint = self.below(3) as usize;
        let mut request = Request {
            second,
            client: self.client(),
            line,
            status: self.status(),
            micros: millis * 300 + self.below(millis * 1_400) + if self.below(100) == 0 { millis * 9_000 } else { 0 },
            endpoint: ENDPOINTS[endpoint].to_owned(),
            bytes: 300 + self.below(40_000),
        };
        self.connection += 1;
        self.fail(&mut request, path, endpoint, errors)?;
        self.log(&request, access)
    }

    /// What goes wrong at this time, on this route, at this endpoint.
    fn fail(&mut self, request: &mut Request, path: &str, endpoint: usize, errors: &mut impl Write) -> io::Result<()> {
        let second = request.second;
        let restarts =
            (0..3).any(|at| at == endpoint && (36_725 + at as u64 * 20..36_734 + at as u64 * 20).contains(&second));
        let is_down = endpoint == 1 && (52_210..52_440).contains(&second);
        if restarts || is_down {
            self.error(request, "connect() failed (111: Connection refused) while connecting to upstream", errors)?;
            // Another endpoint answers, if one is up: POST is tried again too, since nothing was sent.
            if is_down || self.below(3) > 0 {
                request.endpoint = format!("{}, {}", request.endpoint, ENDPOINTS[(endpoint + 1) % 3]);
            } else {
                (request.status, request.micros, request.bytes) = (502, self.below(2_000), 157);
            }
        } else if path == "/reports/#" && (57_600..63_000).contains(&second) && self.below(3) == 0 {
            let what = "upstream timed out (110: Connection timed out) while reading response header from upstream";
            self.error(request, what, errors)?;
            (request.status, request.micros, request.bytes) = (504, 60_000_000 + self.below(9_000), 167);
        } else if path == "/login" && self.below(60) == 0 {
            self.error(request, "upstream sent too big header while reading response header from upstream", errors)?;
            (request.status, request.bytes) = (502, 157);
        } else if request.line.starts_with("POST") && self.below(4_000) == 0 {
            let what = "upstream prematurely closed connection while reading response header from upstream";
            self.error(request, what, errors)?;
            (request.status, request.micros, request.bytes) = (502, self.below(3_000), 157);
        }
        Ok(())
    }

    fn error(&mut self, request: &Request, what: &str, errors: &mut impl Write) -> io::Result<()> {
        let Request { client, line, endpoint, .. } = request;
        let path = line.split(' ').nth(1).unwrap_or_default();
        writeln!(
            errors,
            "{ERROR_DAY} {} [error] 715#715: *{} {what}, client: {client}, server: shop.example, request: \"{line}\", upstream: \
             \"http://{endpoint}{path}\", host: \"shop.example\"",
            clock(request.second),
            self.connection
        )
    }

    fn log(&mut self, request: &Request, access: &mut impl Write) -> io::Result<()> {
        let Request { client, line, status, bytes, .. } = request;
        let agent = AGENTS[self.below(AGENTS.len() as u64) as usize];
        write!(
            access,
            "{client} - - [{DAY}:{} +0000] \"{line}\" {status} {bytes} \"https://shop.example/\" \"{agent}\"",
            clock(request.second)
        )?;
        if self.timed {
            write!(
                access,
                " {}.{:03} \"{}\"",
                request.micros / 1_000_000,
                request.micros / 1_000 % 1_000,
                request.endpoint
            )?;
        }
        writeln!(access)
    }

    fn route(&mut self) -> (&'static str, u64, u64, &'static str) {
        let mut place = self.below(1_000);
        for route in ROUTES {
            if place < route.1 {
                return route;
            }
            place -= route.1;
        }
        ROUTES[0]
    }

    fn path(&mut self, template: &str) -> String {
        let mut path = String::new();
        for letter in template.chars() {
            match letter {
                '#' => path += &self.below(40_000).to_string(),
                '@' => path += &format!("{:012x}", self.next() >> 16),
                letter => path.push(letter),
            }
        }
        path
    }

    /// Half of the requests come from a few hundred clients, the rest from tens of thousands.
    fn client(&mut self) -> String {
        let number = if self.below(2) == 0 { self.below(300) } else { self.below(60_000) };
        format!("198.{}.{}.{}", 18 + number / 65_536, number / 256 % 256, number % 256)
    }

    fn status(&mut self) -> u16 {
        match self.below(10_000) {
            0..2 => 500,
            2..250 => 404,
            250..600 => 304,
            600..800 => 301,
            _ => 200,
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// xorshift64* (Vigna 2016).
    fn next(&mut self) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 8
    }
}

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 Version/26.0 Mobile/15E148 Safari/604.1",
    "curl/8.16.0",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
];

/// Of a day's requests, how many millionths came until a second: few at night, most in the evening.
fn share_until(second: u64) -> u64 {
    let day = second as f64 / SECONDS as f64;
    let turn = 2.0 * std::f64::consts::PI;
    let share = day - 0.6 / turn * ((turn * (day - 0.3)).sin() + (turn * 0.3).sin());
    (share * 1e6) as u64
}

fn clock(second: u64) -> String {
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
