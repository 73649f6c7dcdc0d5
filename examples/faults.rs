//! A service of one's own on a network that is hurt: a payment whose answer is lost on its way is made once, however often it is tried.
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{
    Executed, Remote, Server,
    testing::{Network, Way},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

#[farcall::remote]
trait Till {
    /// Pays in `cents`, and says what is in the till. The same payment again changes nothing.
    async fn pay(&self, payment: u32, cents: u64) -> farcall::Result<u64>;
}

/// What was paid in, by the numbers of the payments.
#[derive(Default)]
struct Drawer(Mutex<BTreeMap<u32, u64>>);

impl Till for Drawer {
    async fn pay(&self, payment: u32, cents: u64) -> farcall::Result<u64> {
        let mut payments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        payments.insert(payment, cents);
        Ok(payments.values().sum())
    }
}

/// What is to be tested: where a payment may have been made, it is tried again.
async fn pay(till: &Remote<dyn Till>, payment: u32, cents: u64) -> farcall::Result<u64> {
    loop {
        match till.pay(payment, cents).await {
            Err(error) if error.executed() == Executed::Maybe => {}
            result => return result,
        }
    }
}

#[tokio::main]
async fn main() -> farcall::Result<()> {
    let network = Network::new();
    let address = network.address("shop");
    let drawer = Remote::<dyn Till>::new(Drawer::default());
    let _running = Server::new().export("till", drawer).listen(&address).start().await?;
    let till = farcall::connect::<dyn Till>(&address).await?;
    assert_eq!(pay(&till, 1, 500).await?, 500);

    // The answer is on its way, and never arrives.
    network.hold(Way::ToClient);
    let cut = async {
        network.holds(Way::ToClient).await;
        network.cut();
        network.heal();
    };
    let (paid, ()) = tokio::join!(pay(&till, 2, 250), cut);
    println!("an answer was lost: {} in the till", paid?);

    // The wire ends at some byte of the call.
    for bytes in 0..40 {
        let till = farcall::connect::<dyn Till>(&address).await?;
        network.cut_after(Way::ToServer, bytes);
        assert_eq!(pay(&till, 3, 50).await?, 800);
        network.heal();
    }
    println!("a wire was cut at each byte: 800 in the till");

    // The server is silent for a while.
    network.hold(Way::ToServer);
    let silent = till.timeout(Duration::from_millis(20)).pay(4, 200).await;
    assert_eq!(silent.map_err(|error| error.executed()), Err(Executed::Maybe));
    network.resume(Way::ToServer);
    println!("a server was silent: {} in the till", pay(&till, 4, 200).await?);
    Ok(())
}
