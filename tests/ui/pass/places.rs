//! A trait in a private module, and one inside a function.
#![deny(warnings)]

mod private {
    #[derive(serde::Serialize, serde::Deserialize)]
    pub(super) struct Own(u8);

    #[farcall::remote]
    pub(super) trait Hidden {
        async fn own(&self, own: Own) -> farcall::Result<Own>;
    }

    #[farcall::remote]
    trait Unused {
        async fn run(&self) -> farcall::Result<()>;
    }
}

fn main() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Local(u8);

    #[farcall::remote]
    trait Inside {
        async fn run(&self, local: &Local) -> farcall::Result<Local>;
    }

    struct Servant;
    impl Inside for Servant {
        async fn run(&self, local: &Local) -> farcall::Result<Local> {
            Ok(Local(local.0))
        }
    }
    let _ = || farcall::Remote::<dyn Inside>::new(Servant);
    let _ = |remote: farcall::Remote<dyn private::Hidden>, own| {
        use private::Hidden;
        remote.own(own).detach();
    };
}
