//! Methods with bodies: the servant may leave them out, the stub still sends.
#![deny(warnings)]

#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub enum Fault {
    Empty,
    Call(farcall::Error),
}

impl From<farcall::Error> for Fault {
    fn from(error: farcall::Error) -> Self {
        Self::Call(error)
    }
}

#[farcall::remote]
pub trait Greeter {
    async fn name(&self) -> farcall::Result<String>;

    async fn greet(&self, greeting: &str, mut times: u32) -> Result<String, Fault> {
        if greeting.is_empty() {
            return Err(Fault::Empty);
        }
        let name = self.name().await?;
        let mut text = String::new();
        while times > 0 {
            text += greeting;
            times -= 1;
        }
        Ok(text + &name)
    }

    async fn count(&mut self, by: u64) -> farcall::Result<u64> {
        self.name().await.map(|name| name.len() as u64 + by)
    }
}

struct Servant;

impl Greeter for Servant {
    async fn name(&self) -> farcall::Result<String> {
        Ok("world".to_owned())
    }
}

fn main() {
    let _ = |remote: farcall::Remote<dyn Greeter>| remote.greet("hello", 1).detach();
    let _ = || farcall::Remote::<dyn Greeter>::new(Servant);
}
