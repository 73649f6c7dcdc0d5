//! Payloads: wherever they stand, however large they are, whoever keeps them, and when there is no room for them.

use crate::place::Place;
use farcall::{ErrorKind, Loan, Payload, Remote};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Parcel {
    name: String,
    maybe: Option<Payload>,
    many: Vec<Payload>,
    kind: Kind,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Kind {
    Nothing,
    One(Payload),
    Two { first: Payload, second: Payload },
}

/// An error that brings a payload.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Refusal {
    Returned(Payload),
    Remote(farcall::Error),
}

impl From<farcall::Error> for Refusal {
    fn from(error: farcall::Error) -> Self {
        Self::Remote(error)
    }
}

#[farcall::remote]
pub(crate) trait Depot {
    /// Adds all bytes up, without ever having a slice of them.
    async fn sum(&self, payload: Payload) -> farcall::Result<u64>;
    async fn sums(&self, payloads: Vec<Payload>) -> farcall::Result<Vec<u64>>;
    async fn lent(&self, payload: &Payload, other: &[Payload]) -> farcall::Result<u64>;
    async fn echo(&self, payload: Payload) -> farcall::Result<Payload>;
    async fn parcel(&self, parcel: Parcel, mark: u8) -> farcall::Result<Parcel>;
    async fn refuse(&self, payload: Payload) -> Result<(), Refusal>;
    /// Fills loaned memory.
    async fn make(&self, length: usize) -> farcall::Result<Payload>;
    async fn keep(&self, payload: Payload) -> farcall::Result<usize>;
    async fn kept(&self, at: usize) -> farcall::Result<Payload>;
    async fn forget(&self) -> farcall::Result<()>;
    async fn mixed(&self, before: &[u8], payload: Payload, after: String)
    -> farcall::Result<usize>;
    async fn pass(&self, payload: Payload, twice: bool) -> farcall::Result<u64>;
    #[remote(oneway)]
    async fn drop_off(&self, payload: Payload) -> farcall::Result<()>;
}

#[derive(Default)]
struct Keeper {
    kept: Mutex<Vec<Payload>>,
    next: Option<Remote<dyn Depot>>,
}

fn sum(payload: &Payload) -> u64 {
    let mut sum = 0;
    payload.for_each_chunk(|chunk| sum += chunk.iter().map(|byte| u64::from(*byte)).sum::<u64>());
    sum
}

fn fill(bytes: &mut [u8]) {
    (0..).zip(bytes).for_each(|(at, byte): (usize, _)| *byte = (at * 31 % 251) as u8);
}

fn numbered(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    fill(&mut bytes);
    bytes
}

fn filled(mut loan: Loan) -> Payload {
    fill(&mut loan);
    loan.into()
}

impl Depot for Keeper {
    async fn sum(&self, payload: Payload) -> farcall::Result<u64> {
        Ok(sum(&payload))
    }
    async fn sums(&self, payloads: Vec<Payload>) -> farcall::Result<Vec<u64>> {
        Ok(payloads.iter().map(sum).collect())
    }
    async fn lent(&self, payload: &Payload, other: &[Payload]) -> farcall::Result<u64> {
        Ok(sum(payload) + other.iter().map(sum).sum::<u64>())
    }
    async fn echo(&self, payload: Payload) -> farcall::Result<Payload> {
        Ok(payload)
    }
    async fn parcel(&self, mut parcel: Parcel, mark: u8) -> farcall::Result<Parcel> {
        parcel.many.reverse();
        parcel.many.push(vec![mark].into());
        Ok(parcel)
    }
    async fn refuse(&self, payload: Payload) -> Result<(), Refusal> {
        Err(Refusal::Returned(payload))
    }
    async fn make(&self, length: usize) -> farcall::Result<Payload> {
        Ok(filled(farcall::loan(length)))
    }
    async fn keep(&self, payload: Payload) -> farcall::Result<usize> {
        let mut kept = self.kept.lock().expect("nobody panics");
        kept.push(payload);
        Ok(kept.len() - 1)
    }
    async fn kept(&self, at: usize) -> farcall::Result<Payload> {
        Ok(self.kept.lock().expect("nobody panics")[at].clone())
    }
    async fn forget(&self) -> farcall::Result<()> {
        self.kept.lock().expect("nobody panics").clear();
        Ok(())
    }
    async fn mixed(
        &self,
        before: &[u8],
        payload: Payload,
        after: String,
    ) -> farcall::Result<usize> {
        Ok(before.len() + payload.len() + after.len())
    }
    async fn pass(&self, payload: Payload, twice: bool) -> farcall::Result<u64> {
        let next = self.next.as_ref().expect("there is one");
        let first = if twice { next.sum(payload.clone()).await? } else { 0 };
        Ok(first + next.sum(payload).await?)
    }
    async fn drop_off(&self, payload: Payload) -> farcall::Result<()> {
        self.kept.lock().expect("nobody panics").push(payload);
        Ok(())
    }
}

fn keeper() -> Remote<dyn Depot> {
    Remote::new(Keeper::default())
}

/// Of each kind of memory that a caller can have.
fn every_kind(depot: &Remote<dyn Depot>, length: usize) -> [Payload; 4] {
    let bytes = numbered(length);
    [
        filled(depot.loan(length)),
        bytes.clone().into(),
        bytes::Bytes::from(bytes.clone()).into(),
        (&bytes[..]).into(),
    ]
}

const LENGTHS: [usize; 8] = [0, 1, 4096, 16 << 10, 40_000, 64 << 10, 1 << 20, 5 << 20];

pub(crate) async fn of_every_size(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    for length in LENGTHS {
        let bytes = numbered(length);
        let want = bytes.iter().map(|byte| u64::from(*byte)).sum();
        for payload in every_kind(&depot, length) {
            assert_eq!(depot.sum(payload.clone()).await, Ok(want), "{length}");
            assert_eq!(depot.lent(&payload, &[]).await, Ok(want), "{length}");
            let back = depot.echo(payload).await.expect("it fits");
            assert_eq!(back.len(), length);
            assert!(back.to_vec() == bytes, "{length}");
        }
        let made = depot.make(length).await.expect("it fits");
        assert!(made.to_vec() == bytes, "{length}");
    }
}

pub(crate) async fn wherever_they_stand(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    for length in LENGTHS.into_iter().filter(|length| *length <= 1 << 20) {
        let [a, b, c, d] = every_kind(&depot, length);
        let parcel = Parcel {
            name: "parcel".to_owned(),
            maybe: Some(a.clone()),
            many: vec![b, a.clone(), vec![1, 2, 3].into()],
            kind: Kind::Two { first: c, second: d },
        };
        let back = depot.parcel(parcel, 7).await.expect("it fits");
        let bytes = numbered(length);
        assert_eq!(back.name, "parcel");
        assert!(back.maybe.expect("it was sent").to_vec() == bytes);
        let many: Vec<_> = back.many.iter().map(Payload::to_vec).collect();
        assert!(many == [vec![1, 2, 3], bytes.clone(), bytes.clone(), vec![7]]);
        match back.kind {
            Kind::Two { first, second } => {
                assert!(first.to_vec() == bytes && second.to_vec() == bytes);
            }
            other => panic!("{other:?}"),
        }
        match depot.refuse(a).await {
            Err(Refusal::Returned(payload)) => assert!(payload.to_vec() == bytes),
            other => panic!("{other:?}"),
        }
    }
    let empty = Parcel { name: String::new(), maybe: None, many: Vec::new(), kind: Kind::Nothing };
    assert_eq!(depot.parcel(empty, 9).await.expect("it fits").many[0].to_vec(), [9]);
    let kind = Kind::One(vec![5; 100].into());
    let one = Parcel { name: String::new(), maybe: None, many: Vec::new(), kind };
    assert!(
        matches!(depot.parcel(one, 9).await.expect("it fits").kind, Kind::One(p) if p.len() == 100)
    );
}

pub(crate) async fn beside_other_bulk(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    for before in [0, 100, 50_000, 1 << 20] {
        for payload in every_kind(&depot, 100_000) {
            let done = depot.mixed(&vec![1; before], payload, "after".repeat(10_000)).await;
            assert_eq!(done, Ok(before + 150_000));
        }
    }
}

pub(crate) async fn can_be_kept_and_given_out(place: Place) {
    let (depot, host) = place.host(keeper()).await;
    let length = 200_000;
    for (at, payload) in every_kind(&depot, length).into_iter().enumerate() {
        assert_eq!(depot.keep(payload.clone()).await, Ok(at));
        drop(payload);
    }
    // Other memory would be written over by now, if it were used again.
    for _ in 0..20 {
        depot.sum(vec![0xee; length].into()).await.expect("it fits");
        let mut loan = depot.loan(length);
        loan.fill(0xee);
        depot.sum(loan.into()).await.expect("it fits");
    }
    let bytes = numbered(length);
    let mut here = Vec::new();
    for at in 0..4 {
        here.push(depot.kept(at).await.expect("it is kept"));
        here.push(depot.kept(at).await.expect("it is still kept"));
    }
    depot.forget().await.expect("it can");
    assert!(here.iter().all(|payload| payload.to_vec() == bytes));
    drop(depot);
    drop(host);
    assert!(here.iter().all(|payload| payload.clone().to_vec() == bytes), "after the connection");
}

pub(crate) async fn are_passed_on(place: Place) {
    let (last, _last) = place.host(keeper()).await;
    let middle = Remote::<dyn Depot>::new(Keeper { next: Some(last), ..Keeper::default() });
    let (first, _first) = place.host(middle).await;
    for length in [1, 100_000, 1 << 20] {
        let want: u64 = numbered(length).iter().map(|byte| u64::from(*byte)).sum();
        for payload in every_kind(&first, length) {
            assert_eq!(first.pass(payload.clone(), false).await, Ok(want));
            assert_eq!(first.pass(payload, true).await, Ok(2 * want));
        }
    }
}

pub(crate) async fn are_not_copied_where_they_can_be_read(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    let payload = filled(depot.loan(1 << 20));
    let address = |payload: &Payload| payload.try_as_slice().map(<[u8]>::as_ptr);
    let sent = address(&payload).expect("it is this process's own");
    let back = depot.echo(payload).await.expect("it fits");
    let same = address(&back) == Some(sent);
    assert_eq!(same, !matches!(place, Place::Unix | Place::Tcp | Place::Stream));
    assert!(back.to_vec() == numbered(1 << 20));
    let made = depot.make(1 << 20).await.expect("it fits");
    assert_eq!(made.try_as_slice().is_none(), place == Place::Shm, "the peer could write it");
}

pub(crate) async fn come_back_by_the_thousand(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    let length = 100_000;
    for number in 0..3000_u32 {
        let mut loan = depot.loan(length);
        loan[..4].copy_from_slice(&number.to_le_bytes());
        let back = depot.echo(loan.into()).await.expect("it fits");
        let mut first = [0; 4];
        back.copy_to(0, &mut first);
        assert_eq!((back.len(), u32::from_le_bytes(first)), (length, number));
    }
}

pub(crate) async fn find_another_way_where_there_is_no_room(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    let length = 1 << 20;
    let want: u64 = numbered(length).iter().map(|byte| u64::from(*byte)).sum();
    let mut mine = Vec::new();
    for at in 0..80 {
        let payload = filled(depot.loan(length));
        assert_eq!(depot.keep(payload.clone()).await, Ok(at));
        mine.push(payload);
    }
    assert_eq!(depot.sum(mine[79].clone()).await, Ok(want));
    assert!(depot.kept(79).await.expect("it is kept").to_vec() == numbered(length));
    depot.forget().await.expect("it can");
    mine.clear();
    assert_eq!(depot.sum(filled(depot.loan(length))).await, Ok(want));
}

pub(crate) async fn have_a_bound(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    for length in [1, 20_000] {
        let most = vec![Payload::from(vec![1; length]); 64];
        assert_eq!(depot.sums(most.clone()).await, Ok(vec![length as u64; 64]));
        let more: Vec<_> = most.into_iter().chain([Payload::new()]).collect();
        let error = depot.sums(more).await.expect_err("one too many");
        assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
        assert!(error.text().contains("65 payloads"), "{error}");
    }
    assert_eq!(depot.sums(Vec::new()).await, Ok(Vec::new()));
}

pub(crate) async fn too_large_for_anything(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    let huge = depot.echo(depot.loan(65 << 20).into()).await;
    match place {
        // Within a process a payload is handed over, whatever its size.
        Place::Near | Place::Inproc => assert_eq!(huge.expect("it is handed over").len(), 65 << 20),
        _ => assert_eq!(huge.expect_err("no frame holds it").kind(), ErrorKind::TooLarge),
    }
    assert_eq!(depot.sum(vec![1; 100].into()).await, Ok(100));
}

pub(crate) async fn travel_one_way(place: Place) {
    let (depot, _host) = place.host(keeper()).await;
    for length in [1, 100_000] {
        depot.drop_off(filled(depot.loan(length))).detach();
    }
    let back = depot.kept(1).await.expect("calls on an object are started in order");
    assert!(back.to_vec() == numbered(100_000));
}
