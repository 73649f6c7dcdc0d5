//! Frames taken apart: what is beside, what is inline, and what does not fit together.

use super::*;

fn entry(length: usize, place: Place) -> Entry {
    Entry { length, place }
}

/// The body of a frame with this table, these bytes behind it, and payloads of these lengths beside it.
fn body(entries: &[Entry], bytes: &[u8], beside: &[usize]) -> Result<Body, Error> {
    let mut frame = vec![9; 5];
    Table::encode(entries.iter().copied(), &mut frame);
    let values = Values { table: 5, start: frame.len(), beside: false };
    frame.extend_from_slice(bytes);
    let beside = beside.iter().map(|length| vec![7; *length].into()).collect();
    Body::new(frame.into(), values, beside)
}

fn opened(body: Body) -> (Vec<u8>, Vec<Vec<u8>>) {
    let Opened { values, start, brought } = body.open();
    let payloads =
        brought.payloads().iter().map(|payload| payload.as_ref().expect("it came").to_vec());
    (values[start..].to_vec(), payloads.collect())
}

#[test]
fn payloads_are_found_wherever_they_are() {
    let entries = [entry(2, Place::Inline), entry(3, Place::Beside), entry(0, Place::Inline)];
    let body = body(&entries, b"valuesab", &[3]).expect("it fits");
    let want = (b"values".to_vec(), vec![b"ab".to_vec(), vec![7; 3], Vec::new()]);
    assert_eq!(opened(body), want);
    let plain = Body::new(b"values".to_vec().into(), Values::default(), Vec::new());
    assert_eq!(opened(plain.expect("it fits")), (b"values".to_vec(), Vec::new()));
}

#[test]
fn a_large_payload_keeps_the_frame_and_a_small_one_does_not() {
    for (values, inline) in
        [(10, KEEPS_FRAME), (10, KEEPS_FRAME - 1), (2 * KEEPS_FRAME, KEEPS_FRAME)]
    {
        let entries = [entry(1, Place::Inline), entry(inline, Place::Inline)];
        let bytes = [vec![1; values], vec![2; 1], vec![3; inline]].concat();
        let body = body(&entries, &bytes, &[]).expect("it fits");
        let frame = body.frame.as_ptr_range();
        let Opened { values: held, start, brought } = body.open();
        assert_eq!(held[start..], vec![1; values]);
        let at = |payload: &Payload| payload.try_as_slice().expect("on the heap").as_ptr();
        let [small, large] = [0, 1].map(|at| brought.payloads()[at].as_ref().expect("it came"));
        assert_eq!((small.to_vec(), large.to_vec()), (vec![2], vec![3; inline]));
        assert!(!frame.contains(&at(small)));
        assert_eq!(frame.contains(&at(large)), values < inline && inline >= KEEPS_FRAME);
    }
}

#[test]
fn what_is_beside_is_what_the_table_says() {
    let two = [entry(3, Place::Beside), entry(4, Place::Beside)];
    assert!(body(&two, b"", &[3, 4]).is_ok());
    for beside in [&[][..], &[3], &[4, 3], &[3, 4, 5], &[3, 5]] {
        let error = body(&two, b"", beside).expect_err("they differ");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }
    assert!(body(&[entry(1, Place::Inline)], b"x", &[1]).is_err());
}

#[test]
fn values_may_be_the_last_payload() {
    let entries = [entry(1, Place::Inline), entry(6, Place::Beside)];
    let mut body = body(&entries, b"x", &[6]).expect("it fits");
    body.values.beside = true;
    assert_eq!(body.bulk(), 6);
    assert_eq!(opened(body), (vec![7; 6], vec![b"x".to_vec()]));
}
