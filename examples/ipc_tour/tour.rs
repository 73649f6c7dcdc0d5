//! The tour: each means in turn, then the race. What the system does not offer is said; what should work and does not is a failure.

mod means;

mod system;
mod wires;

mod ends;
mod far;

mod calls;
mod letters;
mod measure;

mod race;
mod strace;

use means::Means;
use measure::Measured;
use race::{Manner, Raced};
use rustix::io::Errno;
use std::io;

/// What is said of a means that this system does not have.
const NOT_OFFERED: &str = "not offered by this system";

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

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
        "{:<28}{:>13}{:>13}{:>11}{:>9}  synchronized by",
        "", "there & back", "messages/s", "syscalls", "copies"
    );
    let mut worked = true;
    for means in Means::ALL {
        let name = means.name();
        match outcome(means) {
            Outcome::Measured(Measured { round_trip, rate, calls }) => {
                let micros = round_trip.as_nanos() as f64 / 1e3;
                let calls = calls.map_or("?".to_owned(), |calls| format!("{calls:.2}"));
                let (copies, who) = (means.copies(), means.who_synchronizes());
                println!("{name:<28}{micros:>10.1} us{rate:>13.0}{calls:>11}{copies:>9}  {who}");
            }
            Outcome::NotOffered(why) => println!("{name:<28} {NOT_OFFERED}: {why}"),
            Outcome::Failed(why) => {
                worked = false;
                println!("{name:<28} FAILED: {why}");
            }
        }
    }
    println!();
    println!(
        "there & back: half of the round trips were faster. messages/s: one way; by calls, of which each is"
    );
    println!(
        "also answered, with {} under way; by UDP, with 64 before an answer is awaited",
        calls::AHEAD
    );
    println!(
        "syscalls: for each message, both ends together: counted where they are made, and farcall's by"
    );
    println!(
        "`strace -c -f`, which slows it (?: not there). copies: by the kernel, for each message"
    );
    worked
}

fn outcome(means: Means) -> Outcome {
    if means.scheme().is_some() {
        let measured = if means == Means::Mailboxes { letters::measure } else { calls::measure };
        return match measured(means) {
            Ok(measured) => {
                let calls = strace::calls_for_a_message(means);
                Outcome::Measured(Measured { calls, ..measured })
            }
            Err(error) => Outcome::Failed(error.to_string()),
        };
    }
    let (mut wire, far) = match ends::near(means) {
        Ok(near) => near,
        Err(error) if is_not_offered(&error) => return Outcome::NotOffered(error.to_string()),
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    match measure::near(&mut *wire).and_then(|measured| far.end().map(|()| measured)) {
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
    println!("{:<28}{:>13}{:>13}{:>11}{:>9}", "", "added", "counted", "lost", "ns each");
    let mut worked = true;
    for manner in Manner::ALL {
        let name = manner.name();
        match race::race(manner) {
            Ok(Raced { wanted, counted, races, took }) => {
                let lost = wanted.abs_diff(counted);
                let races = if races > 1 { format!("  in race {races}") } else { String::new() };
                println!("{name:<28}{wanted:>13}{counted:>13}{lost:>11}{took:>9.1}{races}");
                worked &= lost == 0 || manner == Manner::Unsynchronized;
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
