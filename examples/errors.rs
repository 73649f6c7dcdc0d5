//! Errors: a type of one's own that travels, the library's kinds to match on, and whether the call may have run.
//!
//! `cargo run --example errors`
#![allow(clippy::print_stdout, reason = "an example prints")]

use farcall::{ErrorKind, Executed, Remote, Server};
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::Mutex, time::Duration};

#[farcall::remote]
trait Bank {
    async fn withdraw(&self, account: &str, amount: u64) -> Result<u64, BankError>;
}

/// Why a withdrawal failed. The last variant is for what goes wrong on the way.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum BankError {
    NoAccount,
    Short { missing: u64 },
    Call(farcall::Error),
}

impl From<farcall::Error> for BankError {
    fn from(error: farcall::Error) -> Self {
        Self::Call(error)
    }
}

struct Branch {
    accounts: Mutex<HashMap<String, u64>>,
}

impl Bank for Branch {
    async fn withdraw(&self, account: &str, amount: u64) -> Result<u64, BankError> {
        assert!(amount > 0, "a bug of the bank's");
        let mut accounts = self.accounts.lock().map_err(|_| farcall::Error::new("out of order"))?;
        let balance = accounts.get_mut(account).ok_or(BankError::NoAccount)?;
        *balance = balance
            .checked_sub(amount)
            .ok_or_else(|| BankError::Short { missing: amount - *balance })?;
        Ok(*balance)
    }
}

#[tokio::main]
async fn main() -> farcall::Result<()> {
    std::panic::set_hook(Box::new(|_| {})); // one of these calls panics, which is no news here
    let accounts = Mutex::new(HashMap::from([("ada".to_owned(), 100)]));
    let running = Server::new()
        .export("bank", Remote::<dyn Bank>::new(Branch { accounts }))
        .listen("tcp://127.0.0.1:0")
        .start()
        .await?;
    let address = running.addresses()[0].clone();
    let bank = farcall::connect::<dyn Bank>(&address).await?;

    report("30 from ada", bank.withdraw("ada", 30).await);
    report("99 from ada", bank.withdraw("ada", 99).await);
    report("30 from bob", bank.withdraw("bob", 30).await);
    report("0, a bug", bank.withdraw("ada", 0).await);
    report("after the bug", bank.withdraw("ada", 1).await);
    let wrong = farcall::connect::<dyn Bank>(&format!("{address}#banc")).await;
    report("a wrong name", wrong.map(|_| 0).map_err(BankError::Call));
    running.shutdown().await;
    // A handle connects anew, for as long as its call may take.
    let hurried = bank.timeout(Duration::from_millis(50));
    report("a closed bank", hurried.withdraw("ada", 1).await);
    Ok(())
}

fn report(what: &str, result: Result<u64, BankError>) {
    let text = match result {
        Ok(balance) => format!("{balance} left"),
        Err(BankError::NoAccount) => "there is no such account".to_owned(),
        Err(BankError::Short { missing }) => format!("{missing} missing"),
        Err(BankError::Call(error)) => {
            let again = match (error.executed(), error.kind()) {
                (Executed::No, ErrorKind::NoSuchService) => "did not run: write another name",
                (Executed::No, _) => "did not run: try again",
                (Executed::Maybe, _) => "may have run: look before you try again",
                (Executed::Yes, _) => "ran: do not try again",
            };
            format!("{:?}, {again}\n{:16}{error}", error.kind(), "")
        }
    };
    println!("{what:<15} {text}");
}
