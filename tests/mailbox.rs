//! Message passing between real processes: each row of the textbook's table is a test named after it, over every transport between
//! processes, in async code and on plain threads.

#[path = "mailbox/crashes.rs"]
mod crashes;
#[path = "mailbox/delivery.rs"]
mod delivery;
#[path = "mailbox/direct.rs"]
mod direct;
#[path = "mailbox/enclosing.rs"]
mod enclosing;
#[path = "mailbox/flow.rs"]
mod flow;
#[path = "mailbox/flows.rs"]
mod flows;
#[path = "mailbox/kept.rs"]
mod kept;
#[path = "mailbox/ledger.rs"]
mod ledger;
#[path = "mailbox/mistakes.rs"]
mod mistakes;
#[path = "mailbox/mortal.rs"]
mod mortal;
#[path = "mailbox/named.rs"]
mod named;
#[path = "mailbox/play.rs"]
mod play;
#[path = "mailbox/puppet.rs"]
mod puppet;
#[path = "mailbox/stage.rs"]
mod stage;
#[path = "mailbox/steps.rs"]
mod steps;
#[path = "mailbox/textbook.rs"]
mod textbook;
