//! The rounds: every row in every placement does all its work once per round, so that a drift of
//! the machine hits all rows alike.

use std::iter;
use std::time::Duration;

use anyhow::Result;

use crate::arguments::Options;
use crate::pair::{Pair, Seat};
use crate::placement::{self, Placement};
use crate::report::{Cell, Report};
use crate::row::{Row, Transport};
use crate::units;
use crate::work::Work;
use crate::workshop::Workshop;

/// So often works take turns that are held against each other.
const TURNS: u32 = 6;

/// Measures all rounds into `report`. A row that fails is noted there; the others go on.
pub fn all_rounds(
    shop: &Workshop,
    rows: &[&'static dyn Row],
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let mut seats = seats(rows, options)?;
    for round in 0..options.rounds {
        for seat in &seats {
            let place = format!("{}, {}, {}", seat.row.name(), seat.transport, seat.placement);
            eprint!("round {}/{}: {place}", round + 1, options.rounds);
            if let Err(error) = one_seat(shop, seat, options, report) {
                eprint!(": FAILED: {error:#}");
                report.failures.push(format!("{place}: {error:#}"));
            }
            eprintln!();
            shop.sweep()?;
        }
        // Nobody always follows the same neighbour.
        let step = seats.len() / options.rounds + 1;
        let length = seats.len().max(1);
        seats.rotate_left(step % length);
    }
    Ok(())
}

/// Every row over each of its transports, placement by placement. What goes the same way is measured
/// one after the other: how far apart two CPUs are can change within minutes on a virtual machine.
fn seats(rows: &[&'static dyn Row], options: &Options) -> Result<Vec<Seat>> {
    let allowed = placement::allowed()?;
    let mut seats = Vec::new();
    for placement in Placement::ALL {
        let Some(cpus) = placement.cpus(&allowed) else { continue };
        for transport in Transport::ALL {
            if placement == Placement::TwoCores && transport == Transport::Inproc {
                continue; // One process cannot be bound to one core and to two.
            }
            let over = rows
                .iter()
                .filter(|row| options.transports(**row).any(|wanted| wanted == transport));
            seats.extend(over.map(|row| Seat { row: *row, transport, placement, cpus }));
        }
    }
    Ok(seats)
}

/// What is held against another work of the same row is measured in turns with it, each a round of its own: how fast a virtual machine is
/// can change between one tenth of a second and the next.
fn in_turns(works: &[Work], time: Duration) -> Vec<(Work, Duration)> {
    let takes_turns = |work: &Work| *work == Work::Add || work.is_held_against_add();
    let turns = match works.iter().any(|work| work.is_held_against_add()) {
        true => TURNS,
        false => 1,
    };
    let (turn, rest): (Vec<Work>, Vec<Work>) = works.iter().partition(|work| takes_turns(work));
    let turn = turn.into_iter().map(|work| (work, time / turns)).collect::<Vec<_>>();
    let rest = rest.into_iter().map(|work| (work, time));
    iter::repeat_n(turn, turns as usize).flatten().chain(rest).collect()
}

fn one_seat(shop: &Workshop, seat: &Seat, options: &Options, report: &mut Report) -> Result<()> {
    let Seat { row, transport, placement, cpus } = *seat;
    let offered = |work: &Work| row.offers(placement, *work) && work.goes_over(transport);
    let works: Vec<Work> = Work::all().into_iter().filter(offered).collect();
    if works.is_empty() {
        return Ok(());
    }
    let mut pair = Pair::start(shop, row, transport, cpus)?;
    for (work, time) in in_turns(&works, options.time) {
        pair.gather(shop, work.clients())?;
        let measured = pair.measure(work, time)?;
        if let Some(p50) = measured.p50.filter(|_| work == Work::Add && time == options.time) {
            eprint!("  {}", units::duration(p50 as f64));
        }
        let key = |cell: &&mut Cell| {
            cell.row == row.name()
                && cell.transport == transport
                && cell.placement == placement
                && cell.work == work
        };
        match report.cells.iter_mut().find(key) {
            Some(cell) => cell.rounds.push(measured),
            None => report.cells.push(Cell {
                row: row.name().to_owned(),
                transport,
                placement,
                work,
                rounds: vec![measured],
            }),
        }
    }
    Ok(())
}
