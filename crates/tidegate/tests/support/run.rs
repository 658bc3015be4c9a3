//! Plays one case against one server binary, from an empty directory to the logs that the server left.

use std::sync::Arc;

use crate::support::case::{Case, Origin};
use crate::support::case_format::read_case;
use crate::support::client::Client;
use crate::support::failures::{split_failures, unnamed};
use crate::support::logs::{read_access_log, read_error_log};
use crate::support::message::Message;
use crate::support::moments::Moments;
use crate::support::origin::{Account, Running, Socket, bind};
use crate::support::place::Place;
use crate::support::server::{Binary, Server, StartFailure};
use crate::support::transcript::{Seen, Transcript};

/// How often a start is tried when somebody else takes a chosen port.
const STARTS: usize = 5;

/// Plays the case that `text` describes; an error is a case that could not be played at all.
pub(crate) fn run(text: &str, binary: &Binary) -> Result<Transcript, String> {
    let unfilled = read_case(text)?;
    for _ in 0..STARTS {
        let mut place = Place::new(text)?;
        let sockets = bind_all(&unfilled.origins, &mut place)?;
        let case = read_case(&place.fill(text)?)?;
        place.write_files(&case.files)?;
        match Server::start(binary, &place, &case.config) {
            Ok(server) => return Ok(play(&case, &place, server, sockets)),
            Err(StartFailure::PortTaken) => {}
            Err(StartFailure::Other(why)) => {
                return Err(place.unfill(&format!("{}: {why}", binary.name)));
            }
        }
    }
    Err(format!("{STARTS} times in a row a port was taken between its choice and the start"))
}

fn bind_all(origins: &[Origin], place: &mut Place) -> Result<Vec<Socket>, String> {
    let bind_one = |origin: &Origin| bind(origin, place).map_err(|error| format!("origin {}: {error}", origin.name));
    origins.iter().map(bind_one).collect()
}

fn play(case: &Case, place: &Place, mut server: Server, sockets: Vec<Socket>) -> Transcript {
    let moments = Arc::new(Moments::default());
    let start = |(origin, socket)| Running::start(origin, socket, place, &moments);
    let origins: Vec<Running> = case.origins.iter().zip(sockets).map(start).collect();

    let mut client = Client::new(case, place, &mut server, &moments);
    let played = client.play();
    let responses = std::mem::take(&mut client.responses);
    // Closes the client's connections, so that nothing is left to drain but what the server still owes its logs.
    drop(client);
    moments.end();
    let drained = server.drain();
    drop(server);

    let accounts: Vec<Account> = origins.into_iter().map(Running::stop).collect();
    let mut problems: Vec<String> = [played, drained].into_iter().filter_map(Result::err).collect();
    problems.extend(accounts.iter().flat_map(|account| account.problems.clone()));
    write_transcript(place, &responses, accounts, problems)
}

fn write_transcript(place: &Place, responses: &[Message], accounts: Vec<Account>, problems: Vec<String>) -> Transcript {
    let see = |messages: &[Message]| messages.iter().map(|message| Seen::new(message, place)).collect::<Vec<Seen>>();
    let responses = see(responses);
    let error_log = read_error_log(place);
    let unnamed = unnamed(&error_log);
    let (error_log, failures) = split_failures(error_log);
    Transcript {
        access_log: read_access_log(place, &responses),
        error_log,
        failures,
        unnamed,
        requests: accounts.into_iter().map(|account| (account.name, see(&account.requests))).collect(),
        responses,
        problems: problems.iter().map(|problem| place.unfill(problem)).collect(),
    }
}
