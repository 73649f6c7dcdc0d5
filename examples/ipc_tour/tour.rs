//! The tour: each means in turn, then the race. What the system does not offer is said; what should work and does not is a failure.

mod means;

mod system;
mod wires;

mod ends;
mod far;

mod calls;
mod letters;
mod measure;
mod strace;
mod traces;

mod race;

use means::Means;
use measure::{Cost, Measured};
use race::{Manner, Raced};
use rustix::io::Errno;
use std::{error::Error, io};

const LEGEND: &str = "
there & back: half of the round trips were faster. messages/s: one way; by calls, of which each is
also answered, and by UDP with 64 under way before an answer is awaited
syscalls: for each message, both ends together: counted where they are made, and farcall's by
`strace -f`, which slows it (?: not there)
copies: into the kernel, counted there too, by the bytes that a call is given; + by the kernel or a
process into as many places of their memory as a message that has just arrived is found in
(?: not allowed to look); a place that is used again at once is missed";

/// What is said of a means that this system does not have.
const NOT_OFFERED: &str = "not offered by this system";

pub type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Does what the arguments say. Whether all that the system offers has worked.
pub fn run(arguments: &[String]) -> Result<bool> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    if arguments.is_empty() {
        far::end_if_it_hangs();
        return Ok(compare() & race_all());
    }
    far::bind_to_parent()?;
    let of = |name| Means::of(name).ok_or("which means?");
    match arguments[..] {
        ["far", name, place] => match of(name)? {
            Means::Mailboxes => letters::answer(place)?,
            means if means.scheme().is_some() => calls::serve(means, place)?,
            means => measure::far(&mut *ends::far(means, place)?)?,
        },
        ["rounds", name, count] => strace::rounds(of(name)?, count)?,
        ["race", manner, place, semaphore] => race::join(manner, place, semaphore)?,
        ["actor", place] => race::act(place)?,
        ["adder", address] => race::add_to(address)?,
        _ => return Err("it takes no arguments".into()),
    }
    Ok(true)
}

/// What came of a means.
enum Outcome {
    Measured(Measured),
    /// Why the system does not offer it.
    NotOffered(String),
    Failed(String),
}

fn compare() -> bool {
    println!("64 bytes between two processes");
    println!();
    println!(
        "{:<28}{:>13}{:>13}{:>11}{:>11}  synchronized by",
        "", "there & back", "messages/s", "syscalls", "copies"
    );
    let mut worked = true;
    for means in Means::ALL {
        let name = means.name();
        match outcome(means) {
            Outcome::Measured(Measured { round_trip, rate, cost, places }) => {
                let micros = round_trip.as_nanos() as f64 / 1e3;
                let number = |what: fn(Cost) -> f64| {
                    cost.map_or("?".to_owned(), |cost| format!("{:.2}", what(cost)))
                };
                let (calls, given) = (number(|cost| cost.calls), number(|cost| cost.given));
                let places = places.map_or("?".to_owned(), |places| places.to_string());
                let (copies, who) = (format!("{given} + {places}"), means.who_synchronizes());
                println!("{name:<28}{micros:>10.1} us{rate:>13.0}{calls:>11}{copies:>11}  {who}");
            }
            Outcome::NotOffered(why) => println!("{name:<28} {NOT_OFFERED}: {why}"),
            Outcome::Failed(why) => {
                worked = false;
                println!("{name:<28} FAILED: {why}");
            }
        }
    }
    println!("{LEGEND}");
    worked
}

fn outcome(means: Means) -> Outcome {
    if means.scheme().is_some() {
        let measure = if means == Means::Mailboxes { letters::measure } else { calls::measure };
        let failed = |error: Box<dyn Error>| Outcome::Failed(error.to_string());
        return measure(means).map_or_else(failed, Outcome::Measured);
    }
    let (mut wire, far) = match ends::near(means) {
        Ok(near) => near,
        Err(error) if is_not_offered(&error) => return Outcome::NotOffered(error.to_string()),
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    match measure::near(&mut *wire, far.id()).and_then(|measured| far.end().map(|()| measured)) {
        Ok(measured) => Outcome::Measured(measured),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Whether an error says that the system has no such thing, or not for this process, or that its limits leave none.
fn is_not_offered(error: &io::Error) -> bool {
    let none = [Errno::NOSYS, Errno::PERM, Errno::ACCESS, Errno::OPNOTSUPP, Errno::AFNOSUPPORT];
    let limits = [Errno::MFILE, Errno::NOSPC];
    let mut errors = none.iter().chain(&limits);
    errors.any(|not_offered| error.raw_os_error() == Some(not_offered.raw_os_error()))
}

fn race_all() -> bool {
    println!();
    println!("the race: two processes add to one counter");
    println!();
    println!("{:<28}{:>13}{:>13}{:>11}{:>11}", "", "added", "counted", "lost", "ns each");
    let mut worked = true;
    for manner in Manner::ALL {
        let name = manner.name();
        match race::race(manner) {
            Ok(Raced { wanted, counted, took, verdict }) => {
                let lost = wanted.abs_diff(counted);
                let (Ok(remark) | Err(remark)) = &verdict;
                println!("{name:<28}{wanted:>13}{counted:>13}{lost:>11}{took:>11.1}{remark}");
                worked &= verdict.is_ok();
            }
            Err(error) if error.downcast_ref().is_some_and(is_not_offered) => {
                println!("{name:<28} {NOT_OFFERED}: {error}");
            }
            Err(error) => {
                worked = false;
                println!("{name:<28} FAILED: {error}");
            }
        }
    }
    worked
}
