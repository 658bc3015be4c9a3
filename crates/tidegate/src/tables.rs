//! What runs: a configuration with everything that can be worked out or opened beforehand. Immutable, shared by all workers.
//! Not here: what changes while it runs (`worker`).

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use config::Config;
use config::model::{
    AccessLog, ErrorLog, Level, Listen, ListenAddress, Location, LogFile, Proxy, ServerSettings, Settings,
};
use http1::RequestLimits;

use crate::forward::Forwarding;
use crate::logs::error_log::{Context, ErrorLogs};
use crate::logs::{Buffering, Logs, Sink, Target};
use crate::maps::MapTable;
use crate::request::Request;
use crate::route::{LocationId, LocationTable, Names};
use crate::variables;

/// The virtual hosts of a listening address.
pub(crate) struct Hosts {
    pub(crate) names: Names,
    /// The default server's bounds on heads: which server is meant is not known before a head was read.
    pub(crate) limits: RequestLimits,
}

/// The tables of one generation.
pub(crate) struct Tables {
    pub(crate) config: Config,
    /// Each address that is listened on, as its first `listen` says it.
    pub(crate) listens: Vec<Listen>,
    /// A handful, which is looked through faster than it is hashed.
    hosts: Vec<(ListenAddress, Hosts)>,
    locations: Vec<LocationTable>,
    /// In the order of `Config::maps`.
    pub(crate) maps: Vec<MapTable>,
    // By the address of the shared list or settings that they were made of: inheritance shares these.
    forwardings: BTreeMap<usize, Forwarding>,
    access: BTreeMap<usize, Vec<Option<Sink>>>,
    errors: BTreeMap<usize, ErrorLogs>,
    main_errors: ErrorLogs,
    logs: Logs,
    /// Some template reads `$upstream_http_*`, `$sent_http_*` or their like, so heads are kept until the log is written.
    pub(crate) keeps_heads: bool,
}

impl Tables {
    /// Works everything out and opens the logs.
    ///
    /// # Errors
    /// A log file cannot be opened; in nginx's words.
    pub(crate) fn new(config: Config, logs: &Logs) -> Result<Self, String> {
        let mut tables = Self {
            listens: listens(&config),
            hosts: Vec::new(),
            maps: config.maps.iter().map(MapTable::new).collect(),
            locations: config.servers.iter().map(LocationTable::new).collect(),
            forwardings: BTreeMap::new(),
            access: BTreeMap::new(),
            errors: BTreeMap::new(),
            main_errors: open_error_logs(logs, &config.main.error_logs)?,
            logs: logs.clone(),
            keeps_heads: config.reads_heads,
            config: config.clone(),
        };
        for listen in &tables.listens {
            tables.hosts.push((listen.address.clone(), hosts(&config, &listen.address)));
        }
        tables.prepare(&config.http)?;
        for server in &config.servers {
            tables.prepare_below(&server.root)?;
            server.named.iter().try_for_each(|location| tables.prepare_below(location))?;
        }
        Ok(tables)
    }

    fn prepare_below(&mut self, location: &Location) -> Result<(), String> {
        self.prepare(&location.settings)?;
        location.children.iter().try_for_each(|child| self.prepare_below(child))
    }

    fn prepare(&mut self, settings: &Settings) -> Result<(), String> {
        self.forwardings.entry(address_of(&settings.proxy)).or_insert_with(|| Forwarding::new(&settings.proxy));
        if !self.access.contains_key(&list_address(&settings.access_logs)) {
            let sinks =
                settings.access_logs.iter().map(|log| open_access_log(&self.logs, log)).collect::<Result<_, _>>()?;
            self.access.insert(list_address(&settings.access_logs), sinks);
        }
        if !self.errors.contains_key(&list_address(&settings.error_logs)) {
            let opened = open_error_logs(&self.logs, &settings.error_logs)?;
            self.errors.insert(list_address(&settings.error_logs), opened);
        }
        Ok(())
    }

    /// The virtual hosts for a connection: those of the exact address, else those of the socket that took it.
    pub(crate) fn hosts(&self, listen: &ListenAddress, local: Option<SocketAddr>) -> Option<&Hosts> {
        let find =
            |wanted: &ListenAddress| self.hosts.iter().find(|(address, _)| address == wanted).map(|(_, hosts)| hosts);
        local.and_then(|local| find(&ListenAddress::Socket(local))).or_else(|| find(listen))
    }

    /// The addresses to open sockets for: an address that a wildcard of the same port covers needs none of its own.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = &Listen> {
        self.listens.iter().filter(|listen| !self.is_covered(&listen.address))
    }

    fn is_covered(&self, address: &ListenAddress) -> bool {
        let ListenAddress::Socket(address) = address else { return false };
        let any: IpAddr = match address.ip() {
            ip if ip.is_unspecified() => return false,
            IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let wildcard = ListenAddress::Socket(SocketAddr::new(any, address.port()));
        self.listens.iter().any(|listen| listen.address == wildcard)
    }

    /// The locations of a server.
    pub(crate) fn locations(&self, server: usize) -> &LocationTable {
        &self.locations[server]
    }

    /// One location.
    pub(crate) fn location(&self, server: usize, id: LocationId) -> &Location {
        self.locations[server].get(id)
    }

    /// How heads are written under these settings.
    pub(crate) fn forwarding(&self, proxy: &Arc<Proxy>) -> &Forwarding {
        // Every `Proxy` of the configuration was prepared.
        &self.forwardings[&address_of(proxy)]
    }

    /// The opened files of some `access_log` lines, in their order; `None` where the name has variables.
    pub(crate) fn access_logs(&self, logs: &Arc<[AccessLog]>) -> &[Option<Sink>] {
        self.access.get(&list_address(logs)).map_or(&[], Vec::as_slice)
    }

    /// The opened files of some `error_log` lines.
    pub(crate) fn error_logs(&self, logs: &Arc<[ErrorLog]>) -> &ErrorLogs {
        self.errors.get(&list_address(logs)).unwrap_or(&self.main_errors)
    }

    /// Writes to an access log whose name has variables.
    pub(crate) fn append_to_named(&self, file: &LogFile, request: &Request, line: &[u8]) {
        use std::os::unix::ffi::OsStrExt;
        let LogFile::Template(template) = file else { return };
        let name = variables::evaluate(template, request);
        let path = Path::new(std::ffi::OsStr::from_bytes(&name));
        match self.logs.open(Target::Path(path), Buffering::default()) {
            Ok(sink) => sink.append(line),
            Err(error) => request.log(Level::Crit, &cannot_open(path, &error), None),
        }
    }

    /// Writes a line that belongs to no request.
    pub(crate) fn log(&self, level: Level, connection: Option<u64>, message: &str, context: &Context<'_>) {
        let logs = self.errors.get(&list_address(&self.config.http.error_logs)).unwrap_or(&self.main_errors);
        logs.write(level, connection, message, context);
    }

    /// Writes a line about the process.
    pub(crate) fn log_main(&self, level: Level, message: &str) {
        self.main_errors.write(level, None, message, &Context::default());
    }
}

fn address_of<T>(shared: &Arc<T>) -> usize {
    Arc::as_ptr(shared) as usize
}

fn list_address<T>(shared: &Arc<[T]>) -> usize {
    Arc::as_ptr(shared).cast::<T>() as usize
}

/// Each address once; where it is written several times, the `listen` with options counts.
fn listens(config: &Config) -> Vec<Listen> {
    let mut listens: Vec<Listen> = Vec::new();
    for listen in config.servers.iter().flat_map(|server| &server.listens) {
        match listens.iter_mut().find(|known| known.address == listen.address) {
            None => listens.push(listen.clone()),
            Some(known) => {
                known.proxy_protocol |= listen.proxy_protocol;
                if listen.backlog.is_some() {
                    known.backlog = listen.backlog;
                }
                known.rcvbuf = known.rcvbuf.or(listen.rcvbuf);
                known.sndbuf = known.sndbuf.or(listen.sndbuf);
            }
        }
    }
    listens
}

fn hosts(config: &Config, address: &ListenAddress) -> Hosts {
    let listens_on = |index: &usize| config.servers[*index].listens.iter().any(|listen| listen.address == *address);
    let is_default = |index: &&usize| {
        config.servers[**index].listens.iter().any(|listen| listen.address == *address && listen.default_server)
    };
    let members: Vec<usize> = (0..config.servers.len()).filter(listens_on).collect();
    let default = members.iter().find(is_default).or(members.first()).copied().unwrap_or(0);
    Hosts { names: Names::new(&config.servers, &members, default), limits: limits(&config.servers[default].settings) }
}

fn limits(settings: &ServerSettings) -> RequestLimits {
    let (count, size) = settings.large_client_header_buffers;
    RequestLimits {
        line: size,
        field: size,
        head: count * size,
        fields: settings.max_headers,
        underscores: settings.underscores_in_headers,
        ignore_invalid: settings.ignore_invalid_headers,
    }
}

fn open_access_log(logs: &Logs, log: &AccessLog) -> Result<Option<Sink>, String> {
    let buffering = Buffering { size: log.buffer, flush: log.flush };
    open(logs, &log.file, buffering)
}

fn open_error_logs(logs: &Logs, lines: &[ErrorLog]) -> Result<ErrorLogs, String> {
    let mut sinks = Vec::new();
    for line in lines {
        sinks.extend(open(logs, &line.file, Buffering::default())?.map(|sink| (sink, line.level)));
    }
    Ok(ErrorLogs::new(sinks))
}

fn open(logs: &Logs, file: &LogFile, buffering: Buffering) -> Result<Option<Sink>, String> {
    match file {
        LogFile::Stderr => logs.open(Target::Stderr, buffering).map(Some).map_err(|error| error.to_string()),
        LogFile::Path(path) => {
            logs.open(Target::Path(path), buffering).map(Some).map_err(|error| cannot_open(path, &error))
        }
        LogFile::Template(_) => Ok(None),
    }
}

fn cannot_open(path: &Path, error: &io::Error) -> String {
    format!("open() \"{}\" failed ({})", path.display(), crate::logs::error_log::errno(error))
}
