//! Calls on what other calls return, made before that is known.

use crate::{
    place::Place,
    work::{Gate, Seen, Watch, outline, watched},
};
use farcall::{Call, ErrorKind, Executed, Limits, Remote, Scope};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::yield_now;

#[farcall::remote]
pub(crate) trait Shelf {
    async fn book(&self, number: u32) -> Result<Remote<dyn Book>, ShelfError>;
    async fn book_at_the_gate(&self, number: u32) -> Result<Remote<dyn Book>, ShelfError>;
    async fn number_of(&self, book: Remote<dyn Book>) -> farcall::Result<u32>;
    async fn under_another_name(&self, number: u32) -> farcall::Result<Tome>;
    /// The book, once the reader has opened the gate.
    async fn book_of(&self, reader: Remote<dyn Reader>) -> Result<Remote<dyn Book>, ShelfError>;
    /// Waits until the book is of no more use, and says why.
    async fn end_of(&self, book: Remote<dyn Book>) -> farcall::Result<farcall::Error>;
    /// Whether all of them are one book.
    async fn is_one(&self, books: Vec<Remote<dyn Book>>) -> farcall::Result<bool>;
    /// Gives the book back.
    async fn echo(&self, book: Remote<dyn Book>) -> farcall::Result<Remote<dyn Book>>;
    /// Keeps the book beyond the call, asks for its number, and notes what becomes of both.
    async fn keep(&self, book: Remote<dyn Book>) -> farcall::Result<()>;
}

#[farcall::remote]
pub(crate) trait Reader {
    async fn opens(&self) -> farcall::Result<u32>;
}

/// What a method returns is its type, whatever that is called.
pub(crate) type Tome = Remote<dyn Book>;

#[farcall::remote]
pub(crate) trait Book {
    async fn number(&self) -> farcall::Result<u32>;
    async fn next(&self) -> Result<Remote<dyn Book>, ShelfError>;
    async fn note(&self, text: &str) -> farcall::Result<usize>;
    async fn reader(&self) -> farcall::Result<Option<String>>;
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum ShelfError {
    NoSuchBook(u32),
    Call(farcall::Error),
}

impl fmt::Display for ShelfError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchBook(number) => write!(f, "there is no book {number}"),
            Self::Call(error) => error.fmt(f),
        }
    }
}

impl From<farcall::Error> for ShelfError {
    fn from(error: farcall::Error) -> Self {
        Self::Call(error)
    }
}

/// The books end here.
pub(crate) const LAST: u32 = 1000;

#[derive(Clone)]
pub(crate) struct Library {
    gate: Arc<Gate>,
    pub(crate) notes: Arc<Mutex<Vec<String>>>,
    kept: Arc<Mutex<Vec<Remote<dyn Book>>>>,
    open: Arc<AtomicUsize>,
    /// What its books are lent in, if they can be taken away.
    pub(crate) scope: Option<Arc<Scope>>,
}

struct Volume {
    number: u32,
    library: Library,
}

impl Library {
    fn take(&self, number: u32) -> Result<Remote<dyn Book>, ShelfError> {
        if number > LAST {
            return Err(ShelfError::NoSuchBook(number));
        }
        self.open.fetch_add(1, Ordering::Relaxed);
        let book = Remote::<dyn Book>::new(Volume { number, library: self.clone() });
        Ok(self.scope.as_ref().map_or_else(|| book.clone(), |scope| scope.lend(&book)))
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        self.library.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Shelf for Library {
    async fn book(&self, number: u32) -> Result<Remote<dyn Book>, ShelfError> {
        self.take(number)
    }
    async fn book_at_the_gate(&self, number: u32) -> Result<Remote<dyn Book>, ShelfError> {
        self.gate.pass(u64::from(number)).await;
        self.take(number)
    }
    async fn number_of(&self, book: Remote<dyn Book>) -> farcall::Result<u32> {
        book.number().await
    }
    async fn under_another_name(&self, number: u32) -> farcall::Result<Tome> {
        self.take(number).map_err(|error| farcall::Error::new(error.to_string()))
    }
    async fn book_of(&self, reader: Remote<dyn Reader>) -> Result<Remote<dyn Book>, ShelfError> {
        self.take(reader.opens().await?)
    }
    async fn end_of(&self, book: Remote<dyn Book>) -> farcall::Result<farcall::Error> {
        Ok(Remote::closed(&book).await)
    }
    async fn is_one(&self, books: Vec<Remote<dyn Book>>) -> farcall::Result<bool> {
        let mut kept = self.kept.lock().expect("no panics");
        kept.extend(books);
        Ok(kept.iter().all(|book| book.same_object(&kept[0])))
    }
    async fn echo(&self, book: Remote<dyn Book>) -> farcall::Result<Remote<dyn Book>> {
        Ok(book)
    }
    async fn keep(&self, book: Remote<dyn Book>) -> farcall::Result<()> {
        let notes = Arc::clone(&self.notes);
        tokio::spawn(async move {
            let fates = tokio::join!(Remote::closed(&book), book.number());
            notes.lock().expect("no panics").push(format!("{fates:?}"));
        });
        Ok(())
    }
}

impl Book for Volume {
    async fn number(&self) -> farcall::Result<u32> {
        Ok(self.number)
    }
    async fn next(&self) -> Result<Remote<dyn Book>, ShelfError> {
        self.library.take(self.number + 1)
    }
    async fn note(&self, text: &str) -> farcall::Result<usize> {
        let mut notes = self.library.notes.lock().expect("no panics");
        notes.push(text.to_owned());
        Ok(notes.len())
    }
    async fn reader(&self) -> farcall::Result<Option<String>> {
        let context = farcall::context().expect("a call is being served");
        Ok(context.metadata("reader").map(str::to_owned))
    }
}

pub(crate) fn library() -> (Library, Watch) {
    let (gate, watch) = watched();
    let library = Library {
        gate: Arc::new(gate),
        notes: Arc::default(),
        kept: Arc::default(),
        open: Arc::default(),
        scope: None,
    };
    (library, watch)
}

pub(crate) async fn goes_as_far_as_one_likes(place: Place) {
    let (library, watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    assert_eq!(shelf.book(7).number().await, Ok(7));
    let third = shelf.book_at_the_gate(1).next().next();
    let number = third.number();
    watch.open(1);
    assert_eq!(number.await, Ok(3));
    assert_eq!(third.await.expect("it is there").number().await, Ok(3));
    let mut book = shelf.book(0);
    for _ in 0..100 {
        book = book.next();
    }
    assert_eq!(book.number().await, Ok(100));
}

/// Options of the handle that the first call was made on are those of all that follow.
pub(crate) async fn inherits_options(place: Place) {
    let (library, mut watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let ours = shelf.metadata("reader", "Ada");
    assert_eq!(ours.book(1).next().reader().await, Ok(Some("Ada".to_owned())));
    let book = shelf.timeout(Duration::from_millis(20)).book_at_the_gate(1);
    let error = book.number().await.expect_err("the gate is closed");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let error = book.await.expect_err("the gate is closed");
    assert!(matches!(error, ShelfError::Call(error) if error.kind() == ErrorKind::TimedOut));
    drop(watch.so_far());
    assert_eq!(shelf.book(1).number().await, Ok(1));
}

/// A call on what was not returned tells which call has failed, and why, in words.
pub(crate) async fn names_the_hop_that_failed(place: Place) {
    let (library, _watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let book = shelf.book(LAST + 1);
    let (next, number) = (book.next(), book.number());
    assert_eq!(book.await.map(|_| ()), Err(ShelfError::NoSuchBook(LAST + 1)));
    let error = number.await.expect_err("there is no such book");
    assert_eq!(outline(&error), (ErrorKind::Pipeline, Executed::No), "{error}");
    let why = "`Shelf::book`, whose result was to be called, failed: there is no book 1001";
    assert_eq!(error.text(), why);
    let Err(ShelfError::Call(error)) = next.await else { panic!("there is no such book") };
    assert_eq!(outline(&error), (ErrorKind::Pipeline, Executed::No));
    let second = shelf.book(LAST).next();
    let fourth = second.next().next();
    let error = fourth.number().await.expect_err("the books end before");
    assert_eq!(outline(&error), (ErrorKind::Pipeline, Executed::No));
    assert!(
        ["next", "there is no book 1001"].iter().all(|why| error.text().contains(why)),
        "{error}"
    );
    assert_eq!(second.await.map(|_| ()), Err(ShelfError::NoSuchBook(LAST + 1)));
}

/// Also when the call has returned before the other is made: that is what the peer keeps the answer for.
pub(crate) async fn goes_by_the_type_and_not_by_its_name(place: Place) {
    let (library, _watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let book = shelf.under_another_name(1);
    assert_eq!(book.number().await, Ok(1));
    assert_eq!(book.next().next().number().await, Ok(3));
    assert_eq!(shelf.number_of(book.await.expect("it is there")).await, Ok(1));
    let none = shelf.under_another_name(LAST + 1);
    let error = none.number().await.expect_err("there is no such book");
    let why =
        "`Shelf::under_another_name`, whose result was to be called, failed: there is no book 1001";
    assert_eq!((error.kind(), error.text()), (ErrorKind::Pipeline, why));
}

/// What was sent before the answer had come is delivered before what is sent afterwards.
pub(crate) async fn keeps_the_order(place: Place) {
    let (library, mut watch) = library();
    let notes = Arc::clone(&library.notes);
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let book = shelf.book_at_the_gate(5);
    let early: Vec<_> = (0..20).map(|number| book.note(&format!("{number:02}"))).collect();
    assert_eq!(watch.next().await, Seen::Began(5));
    watch.open(1);
    let book = book.await.expect("it is there");
    let late: Vec<_> = (20..40).map(|number| book.note(&format!("{number:02}"))).collect();
    for (at, note) in early.into_iter().chain(late).enumerate() {
        assert_eq!(note.await, Ok(at + 1));
    }
    let notes = notes.lock().expect("no panics");
    assert!(notes.is_sorted() && notes.len() == 40, "{notes:?}");
}

/// The handle on an answer is a value: on the same connection, on another one, and after the answer has come.
pub(crate) async fn gives_handles_that_travel(place: Place) {
    let (near, mut watch) = library();
    let (other, _other_watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(near)).await;
    let (elsewhere, _other_host) = place.host(Remote::<dyn Shelf>::new(other)).await;
    let call = shelf.book_at_the_gate(9);
    let book = Call::pipelined(&call);
    let numbers = [shelf.number_of(book.clone()), elsewhere.number_of(book.clone()), book.number()];
    assert_eq!(watch.next().await, Seen::Began(9));
    watch.open(1);
    for number in numbers {
        assert_eq!(number.await, Ok(9));
    }
    assert_eq!(call.await.expect("it is there").number().await, Ok(9));
    assert_eq!(book.number().await, Ok(9));
    assert_eq!(shelf.number_of(book.clone()).await, Ok(9));
    assert_eq!(elsewhere.number_of(book).await, Ok(9));
}

/// A call is given up when it and all that was made of it are; and what it returned is dropped then.
pub(crate) async fn gives_up_what_nobody_waits_for(place: Place) {
    let (library, mut watch) = library();
    let open = Arc::clone(&library.open);
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let number = shelf.book_at_the_gate(1).next().number();
    assert_eq!(watch.next().await, Seen::Began(1));
    watch.open(1);
    assert_eq!(number.await, Ok(2));
    assert_eq!(watch.next().await, Seen::Ended(1));
    while open.load(Ordering::Relaxed) > 0 {
        yield_now().await;
    }
    let number = shelf.book_at_the_gate(3).next().number();
    assert_eq!(watch.next().await, Seen::Began(3));
    drop(number);
    assert_eq!(watch.next().await, Seen::Dropped(3));
    let book = shelf.book_at_the_gate(4);
    let number = book.number();
    book.detach();
    assert_eq!(watch.next().await, Seen::Began(4));
    drop(number);
    watch.open(1);
    assert_eq!(watch.next().await, Seen::Ended(4));
    while open.load(Ordering::Relaxed) > 0 {
        yield_now().await;
    }
}

/// As many as one likes wait for an answer within the limit, and the others are refused.
pub(crate) async fn has_a_bound(place: Place) {
    let (library, mut watch) = library();
    let (shelf, _host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let book = shelf.book_at_the_gate(1);
    let numbers: Vec<_> = (0..257).map(|_| book.number()).collect();
    assert_eq!(watch.next().await, Seen::Began(1));
    let mut numbers = numbers.into_iter();
    let last = numbers.next_back().expect("there are many");
    assert_eq!(
        last.await.map_err(|error| outline(&error)),
        Err((ErrorKind::Overloaded, Executed::No))
    );
    watch.open(1);
    for number in numbers {
        assert_eq!(number.await, Ok(1));
    }
}

pub(crate) async fn has_bounds_that_can_be_set(place: Place) {
    let mut limits = Limits::default();
    (limits.pipelined_per_answer, limits.pipelined) = (2, 3);
    let (library, mut watch) = library();
    let (shelf, _host) = place.host_within(Remote::<dyn Shelf>::new(library), limits).await;
    if !place.has_address() {
        return;
    }
    let books = [1, 2].map(|number| shelf.book_at_the_gate(number));
    let [one, other] = &books;
    let numbers = [one.number(), one.number(), one.number(), other.number(), other.number()];
    for number in [1, 2] {
        assert_eq!(watch.next().await, Seen::Began(number));
    }
    let [first, second, third, fourth, fifth] = numbers;
    for refused in [third, fifth] {
        let error = refused.await.expect_err("one too many");
        assert_eq!(outline(&error), (ErrorKind::Overloaded, Executed::No));
        assert!(error.text().contains("`pipelined_per_answer` and `pipelined`"), "{error}");
    }
    watch.open(2);
    assert_eq!((first.await, second.await, fourth.await), (Ok(1), Ok(1), Ok(2)));
}

/// Of bytes that wait too. Beyond it calls are refused, and not left unread: what they wait for may be behind them.
pub(crate) async fn has_a_bound_in_bytes(place: Place) {
    let mut limits = Limits::default();
    limits.arrived_bytes = 100_000;
    let (library, mut watch) = library();
    let gate = Arc::clone(&library.gate);
    let (shelf, _host) = place.host_within(Remote::<dyn Shelf>::new(library), limits).await;
    if !place.has_address() {
        return;
    }
    let reader = Remote::<dyn Reader>::from_fn(move || {
        let gate = Arc::clone(&gate);
        async move { Ok(gate.pass(1).await as u32) }
    });
    let book = shelf.book_of(reader);
    assert_eq!(watch.next().await, Seen::Began(1));
    let text = "x".repeat(30_000);
    let notes: Vec<_> = (0..10).map(|_| book.note(&text)).collect();
    let mut noted = vec![];
    // Three fit, and the others are refused while the gate is closed.
    for (at, note) in notes.into_iter().enumerate() {
        if at < 3 {
            noted.push(note);
        } else {
            let error = note.await.expect_err("it is one too many");
            assert_eq!(outline(&error), (ErrorKind::Overloaded, Executed::No));
            assert!(error.text().contains("`arrived_bytes`"), "{error}");
        }
    }
    watch.open(1);
    for (at, note) in (1..).zip(noted) {
        assert_eq!(note.await, Ok(at));
    }
    assert_eq!(book.await.expect("it is there").number().await, Ok(1));
}

/// A connection that is lost fails what was made of its answers, and the next one serves again.
pub(crate) async fn ends_with_its_connection(place: Place) {
    let (library, mut watch) = library();
    let (shelf, host) = place.host(Remote::<dyn Shelf>::new(library)).await;
    let call = shelf.book_at_the_gate(1);
    let (book, number) = (Call::pipelined(&call), call.next().number());
    assert_eq!(watch.next().await, Seen::Began(1));
    if !place.has_address() {
        return;
    }
    drop(host);
    assert_eq!(watch.next().await, Seen::Dropped(1));
    let error = number.await.expect_err("the host is gone");
    assert_ne!(error.executed(), Executed::Yes);
    call.await.expect_err("the host is gone");
    let error = book.number().await.expect_err("the host is gone");
    assert_eq!(error.executed(), Executed::No);
}
