//! Arguments and results of every shape, from empty to the largest frame. The same function asks the servant itself and the handle.

use crate::place::Place;
use bytes::Bytes;
use farcall::Remote;
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Mutex,
};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Point {
    x: i32,
    y: Option<i32>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Shape {
    Nothing,
    Circle(Point, f64),
    Named { name: String, inner: Box<Self> },
}

type Scalars = (u8, i64, u128, f64, bool, char);

#[farcall::remote]
pub(crate) trait Shapes {
    async fn nothing(&self) -> farcall::Result<()>;
    async fn scalars(
        &self,
        a: u8,
        b: i64,
        c: u128,
        d: f64,
        e: bool,
        f: char,
    ) -> farcall::Result<Scalars>;
    async fn texts(
        &self,
        borrowed: &str,
        owned: String,
        maybe: Option<&str>,
        cow: Cow<'_, str>,
    ) -> farcall::Result<Vec<String>>;
    async fn bytes(
        &self,
        borrowed: &[u8],
        owned: Vec<u8>,
        bytes: Bytes,
        cow: Cow<'_, [u8]>,
    ) -> farcall::Result<Vec<Vec<u8>>>;
    async fn lent(
        &self,
        point: &Point,
        points: &[Point],
        maybe: &Option<Point>,
    ) -> farcall::Result<Vec<Point>>;
    async fn collections(
        &self,
        map: BTreeMap<String, Vec<u32>>,
        set: BTreeSet<(u8, char)>,
    ) -> farcall::Result<(BTreeMap<String, Vec<u32>>, BTreeSet<(u8, char)>)>;
    async fn shapes(&self, shapes: Vec<Shape>) -> farcall::Result<Vec<Shape>>;
    async fn parts(&self, pair: (u8, &str), list: &[&str]) -> farcall::Result<String>;
    async fn array(&self, array: [u16; 4], unit: ()) -> farcall::Result<[u16; 4]>;
    async fn mixed(
        &self,
        first: &[u8],
        number: u64,
        second: &str,
        last: Vec<u8>,
    ) -> farcall::Result<String>;
    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>>;
    async fn echo_owned(&self, data: Vec<u8>) -> farcall::Result<Bytes>;
    async fn echo_bytes(&self, number: u64, data: Bytes) -> farcall::Result<Bytes>;
    async fn echo_text(&self, text: String) -> farcall::Result<String>;
}

struct Mirror;

impl Shapes for Mirror {
    async fn nothing(&self) -> farcall::Result<()> {
        Ok(())
    }
    async fn scalars(
        &self,
        a: u8,
        b: i64,
        c: u128,
        d: f64,
        e: bool,
        f: char,
    ) -> farcall::Result<Scalars> {
        Ok((a, b, c, d, e, f))
    }
    async fn texts(
        &self,
        borrowed: &str,
        owned: String,
        maybe: Option<&str>,
        cow: Cow<'_, str>,
    ) -> farcall::Result<Vec<String>> {
        Ok(vec![borrowed.to_owned(), owned, format!("{maybe:?}"), cow.into_owned()])
    }
    async fn bytes(
        &self,
        borrowed: &[u8],
        owned: Vec<u8>,
        bytes: Bytes,
        cow: Cow<'_, [u8]>,
    ) -> farcall::Result<Vec<Vec<u8>>> {
        Ok(vec![borrowed.to_vec(), owned, bytes.to_vec(), cow.into_owned()])
    }
    async fn lent(
        &self,
        point: &Point,
        points: &[Point],
        maybe: &Option<Point>,
    ) -> farcall::Result<Vec<Point>> {
        Ok([point].into_iter().chain(points).chain(maybe).cloned().collect())
    }
    async fn collections(
        &self,
        map: BTreeMap<String, Vec<u32>>,
        set: BTreeSet<(u8, char)>,
    ) -> farcall::Result<(BTreeMap<String, Vec<u32>>, BTreeSet<(u8, char)>)> {
        Ok((map, set))
    }
    async fn shapes(&self, shapes: Vec<Shape>) -> farcall::Result<Vec<Shape>> {
        Ok(shapes)
    }
    async fn parts(&self, pair: (u8, &str), list: &[&str]) -> farcall::Result<String> {
        Ok(format!("{pair:?} {list:?}"))
    }
    async fn array(&self, array: [u16; 4], (): ()) -> farcall::Result<[u16; 4]> {
        Ok(array)
    }
    async fn mixed(
        &self,
        first: &[u8],
        number: u64,
        second: &str,
        last: Vec<u8>,
    ) -> farcall::Result<String> {
        Ok(format!("{} {number} {second} {}", first.len(), last.len()))
    }
    async fn echo(&self, data: &[u8]) -> farcall::Result<Vec<u8>> {
        Ok(data.to_vec())
    }
    async fn echo_owned(&self, data: Vec<u8>) -> farcall::Result<Bytes> {
        Ok(data.into())
    }
    async fn echo_bytes(&self, number: u64, data: Bytes) -> farcall::Result<Bytes> {
        assert_eq!(number, data.len() as u64);
        Ok(data)
    }
    async fn echo_text(&self, text: String) -> farcall::Result<String> {
        Ok(text)
    }
}

fn check<T: PartialEq + Debug>(found: farcall::Result<T>, want: T) {
    assert_eq!(found, Ok(want));
}

async fn ask(shapes: &impl Shapes) {
    check(shapes.nothing().await, ());
    for scalars in [
        (0, 0, 0, 0.0, false, '\0'),
        (u8::MAX, i64::MIN, u128::MAX, f64::MIN_POSITIVE, true, char::MAX),
        (127, i64::MAX, 1 << 64, f64::INFINITY, true, 'ß'),
    ] {
        let (a, b, c, d, e, f) = scalars;
        check(shapes.scalars(a, b, c, d, e, f).await, scalars);
    }
    for (text, maybe) in [("", None), ("a", Some("")), ("Größe 🦀", Some("b"))] {
        let found = shapes.texts(text, text.to_owned(), maybe, text.into()).await;
        check(found, vec![text.into(), text.into(), format!("{maybe:?}"), text.into()]);
    }
    for bytes in [&[][..], &[0], &[0xff; 300]] {
        let owned = bytes.to_vec();
        let found = shapes.bytes(bytes, owned.clone(), owned.clone().into(), bytes.into()).await;
        check(found, vec![owned; 4]);
    }
    let point = Point { x: -1, y: Some(i32::MAX) };
    check(shapes.lent(&point, &[], &None).await, vec![point.clone()]);
    let points = vec![point.clone(), Point { x: 3, y: None }];
    let all = [&points[..1], &points, &points[..1]].concat();
    check(shapes.lent(&point, &points, &Some(point.clone())).await, all);
    let map: BTreeMap<_, _> = (0..50).map(|n| (n.to_string(), vec![n; n as usize])).collect();
    let set: BTreeSet<_> = [(1, 'a'), (2, 'b')].into();
    check(shapes.collections(map.clone(), set.clone()).await, (map, set));
    let inner = Box::new(Shape::Circle(point, 0.5));
    let drawn = vec![Shape::Nothing, Shape::Named { name: "n".to_owned(), inner }];
    check(shapes.shapes(drawn.clone()).await, drawn);
    check(shapes.shapes(Vec::new()).await, Vec::new());
    check(shapes.parts((1, "a"), &["b", ""]).await, r#"(1, "a") ["b", ""]"#.to_owned());
    check(shapes.array([1, 2, 3, u16::MAX], ()).await, [1, 2, 3, u16::MAX]);
    for (first, last) in [(0, 0), (3, 100_000), (100_000, 3), (70_000, 70_000)] {
        let found = shapes.mixed(&vec![1; first], 7, "text", vec![2; last]).await;
        check(found, format!("{first} 7 text {last}"));
    }
}

pub(crate) async fn of_every_shape(place: Place) {
    ask(&Mirror).await;
    let (shapes, _host) = place.host(Remote::<dyn Shapes>::new(Mirror)).await;
    ask(&shapes).await;
}

pub(crate) async fn of_every_size(place: Place) {
    let (shapes, host) = place.host(Remote::<dyn Shapes>::new(Mirror)).await;
    let largest = (16 << 20) - 128;
    let mut kept = Vec::new();
    for size in [0, 1, 127, 128, 255, 4096, 32 << 10, (64 << 10) + 1, 1 << 20, largest] {
        let data: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        assert!(shapes.echo(&data).await.expect("it fits") == data, "{size} bytes borrowed");
        let back = shapes.echo_owned(data.clone()).await.expect("it fits");
        assert!(back == data, "{size} bytes owned");
        let shared = Bytes::from(data.clone());
        let back = shapes.echo_bytes(size as u64, shared.clone()).await.expect("it fits");
        assert!(back == data && shared == data, "{size} bytes shared");
        kept.push((back, data));
    }
    // They are what they were when all others have come and gone, and when the connection has.
    for size in [0, 200, 5000, 3 << 20] {
        let text = "ä".repeat(size / 2);
        assert!(shapes.echo_text(text.clone()).await.expect("it fits") == text, "{size} of text");
    }
    drop((shapes, host));
    assert!(kept.iter().all(|(back, data)| back == data));
}

#[farcall::remote]
pub(crate) trait Store<K: Ord, V> {
    async fn put(&self, key: K, value: &V) -> farcall::Result<Option<V>>;
    async fn all(&self, keys: &[K]) -> farcall::Result<Vec<(K, V)>>;
}

struct Map<K, V>(Mutex<BTreeMap<K, V>>);

impl<K, V> Store<K, V> for Map<K, V>
where
    K: Ord + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    async fn put(&self, key: K, value: &V) -> farcall::Result<Option<V>> {
        Ok(self.0.lock().expect("nobody panics").insert(key, value.clone()))
    }
    async fn all(&self, keys: &[K]) -> farcall::Result<Vec<(K, V)>> {
        let map = self.0.lock().expect("nobody panics");
        Ok(keys.iter().filter_map(|key| Some((key.clone(), map.get(key)?.clone()))).collect())
    }
}

pub(crate) async fn of_a_generic_interface(place: Place) {
    let words = Remote::<dyn Store<String, Point>>::new(Map(Mutex::default()));
    let (words, _host) = place.host(words).await;
    let point = |x| Point { x, y: None };
    check(words.put("a".to_owned(), &point(1)).await, None);
    check(words.put("a".to_owned(), &point(2)).await, Some(point(1)));
    let keys = ["b".to_owned(), "a".to_owned()];
    check(words.all(&keys).await, vec![("a".to_owned(), point(2))]);

    let numbers = Remote::<dyn Store<u8, Vec<u8>>>::new(Map(Mutex::default()));
    let (numbers, _host) = place.host(numbers).await;
    check(numbers.put(1, &vec![9; 100_000]).await, None);
    check(numbers.all(&[1, 2]).await, vec![(1, vec![9; 100_000])]);
}
