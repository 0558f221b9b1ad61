//! What gives way in a full outbox, and what never does.

use super::*;
use crate::domain::RoomId;

const BUDGET: Budget = Budget { bytes: 100 };

fn packet(size: usize) -> Packet {
    Packet::control('4', &"x".repeat(size - 3))
}

fn feed() -> FeedId {
    FeedId::Room(RoomId::new("lobby").unwrap())
}

fn written(outbox: &mut Outbox) -> Vec<u8> {
    let (mut all, mut room) = (Vec::new(), Vec::new());
    while !outbox.is_empty() {
        let bytes = outbox.next_bytes(&mut room).to_vec();
        // As a socket does: some of it.
        let taken = bytes.len().min(7);
        all.extend_from_slice(&bytes[..taken]);
        outbox.advance(taken);
    }
    all
}

#[test]
fn small_packets_are_written_together_and_a_large_one_alone() {
    const WIDE: Budget = Budget { bytes: 1 << 20 };
    let sizes = |sizes: &[usize]| {
        let mut outbox = Outbox::default();
        for size in sizes {
            outbox.push(&packet(*size), Treatment::Must, WIDE, false);
        }
        let mut room = vec![7; 3];
        outbox.next_bytes(&mut room).len()
    };
    let most = MAX_TOGETHER;
    assert_eq!(sizes(&[]), 0);
    assert_eq!(sizes(&[100]), 100);
    assert_eq!(sizes(&[100, 50, 25]), 175);
    let large = packet(most).size();
    assert_eq!(sizes(&[100, 50, most]), 150);
    assert_eq!(sizes(&[most, 50]), large);
}

#[test]
fn what_is_queued_comes_out_as_it_went_in_however_it_is_cut() {
    let mut outbox = Outbox::default();
    let mut expected = Vec::new();
    for size in [10, 20, 30] {
        let packet = packet(size);
        expected.extend_from_slice(packet.from_byte(0));
        let pushed = outbox.push(&packet, Treatment::Must, BUDGET, false);
        assert_eq!(pushed, Pushed::Queued);
    }
    assert_eq!(outbox.bytes(), 60);
    assert_eq!(written(&mut outbox), expected);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn under_pressure_passing_goes_first_and_entries_stay_in_their_feed() {
    let mut outbox = Outbox::default();
    let push = |outbox: &mut Outbox, treatment| outbox.push(&packet(40), treatment, BUDGET, true);
    assert_eq!(push(&mut outbox, Treatment::Passing), Pushed::Queued);
    assert_eq!(push(&mut outbox, Treatment::Passing), Pushed::Dropped);
    let feed = feed();
    for seq in [5, 6] {
        let entry = Treatment::Entry { feed: &feed, seq };
        assert_eq!(push(&mut outbox, entry), Pushed::KeptBack);
    }
    for _ in 0..2 {
        assert_eq!(push(&mut outbox, Treatment::Must), Pushed::Queued);
    }
    assert_eq!(push(&mut outbox, Treatment::Must), Pushed::OverBudget);
    // The client's own questions are still answered.
    assert_eq!(push(&mut outbox, Treatment::Answer), Pushed::Queued);
    written(&mut outbox);
    // The feed goes on live only behind what was kept back.
    let entry = Treatment::Entry {
        feed: &feed,
        seq: 7,
    };
    assert_eq!(push(&mut outbox, entry), Pushed::KeptBack);
    let behind = Behind { next: 5, newest: 7 };
    assert_eq!(outbox.any_behind(), Some((feed.clone(), behind)));
    outbox.caught_up(&feed, 6);
    assert!(outbox.is_behind(&feed));
    outbox.caught_up(&feed, 7);
    assert!(!outbox.is_behind(&feed));
    let entry = Treatment::Entry {
        feed: &feed,
        seq: 8,
    };
    assert_eq!(push(&mut outbox, entry), Pushed::Queued);
}

#[test]
fn a_newer_value_takes_the_place_of_the_one_that_waits() {
    let mut outbox = Outbox::default();
    outbox.push(&packet(10), Treatment::Must, BUDGET, true);
    outbox.push(&packet(11), Treatment::Latest(1), BUDGET, true);
    outbox.push(&packet(12), Treatment::Latest(2), BUDGET, true);
    outbox.push(&packet(13), Treatment::Latest(1), BUDGET, true);
    assert_eq!(outbox.bytes(), 10 + 13 + 12);
    // The first byte of a value is out: it cannot be replaced any more.
    outbox.advance(11);
    outbox.push(&packet(14), Treatment::Latest(1), BUDGET, true);
    assert_eq!(outbox.bytes(), 12 + 12 + 14);
}

#[test]
fn a_packet_larger_than_the_budget_goes_out_and_nothing_more_waits_behind_it() {
    let mut outbox = Outbox::default();
    let pushed = outbox.push(&packet(120), Treatment::Must, BUDGET, false);
    assert_eq!(pushed, Pushed::Queued);
    let pushed = outbox.push(&packet(10), Treatment::Must, BUDGET, false);
    assert_eq!(pushed, Pushed::OverBudget);
}
