//! Server: what meeting a server means, after what was known of it.

use deepsearch_core::sync::{FeedCursor, ServerInfo};
use deepsearch_sqlite::{Sweep, SweepReason, SyncPosition};

use deepsearch_core::sync::EntityKind;

use crate::rules::{Mutant, Rules};

/// What to do next with a server that has answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Contact {
    /// Go on: what came belongs to what is known.
    Same,
    /// What came is not to be used. The position to go on from; with a past that changed, everything known is forgotten.
    Again { position: SyncPosition, is_new_past: bool },
}

/// Holds a server against how far we are with it.
pub(crate) fn meet(position: &SyncPosition, server: &ServerInfo, rules: Rules) -> Contact {
    let mut next = position.clone();
    // A crash in which the server lost numbers that it had given to transactions looks the same, and is as dangerous:
    // they are given again, to changes that the cursor has passed.
    let is_put_back = server.reached < position.seen && !rules.are_without(Mutant::PutBackIgnored);
    match &position.epoch {
        // Nothing here is from the server yet, so nothing has to be compared with it.
        None => {
            next.epoch = Some(server.epoch.clone());
            next.swept = server.collected;
            next.protocol = server.spoken();
        }
        Some(epoch) if is_put_back || *epoch != server.epoch && !rules.are_without(Mutant::EpochIgnored) => {
            next.epoch = Some(server.epoch.clone());
            next.cursor = FeedCursor::default();
            next.seen = server.reached;
            next.swept = server.collected;
            next.sweep = Some(sweep(SweepReason::Epoch, EntityKind::Message));
            return Contact::Again {
                position: next,
                is_new_past: true,
            };
        }
        Some(_) => {}
    }
    if next.protocol < server.spoken() {
        next.cursor = FeedCursor::default();
    }
    // Lower where the server was taken back: what is only told by the later one is told again once it can be.
    next.protocol = server.spoken();
    let is_behind = position.cursor.xid <= server.collected && next.swept < server.collected;
    if next.sweep.is_none() && is_behind && !rules.are_without(Mutant::NoCollectionCheck) {
        next.sweep = Some(sweep(SweepReason::Collected(server.collected), EntityKind::Chat));
    }
    if next == *position {
        return Contact::Same;
    }
    Contact::Again {
        position: next,
        is_new_past: false,
    }
}

fn sweep(reason: SweepReason, kind: EntityKind) -> Sweep {
    Sweep {
        reason,
        kind,
        after: None,
    }
}

/// Whether this app may write to the server.
pub(crate) fn may_write(server: &ServerInfo) -> bool {
    (server.protocol.0..=server.protocol.1).contains(&server.spoken())
}

#[cfg(test)]
mod tests {
    use deepsearch_core::sync::PROTOCOL;

    use super::*;

    fn server(epoch: &str, collected: u64) -> ServerInfo {
        ServerInfo {
            epoch: epoch.into(),
            protocol: (1, PROTOCOL),
            now: chrono::DateTime::UNIX_EPOCH,
            collected,
            reached: 100,
        }
    }

    fn known(xid: u64) -> SyncPosition {
        SyncPosition {
            protocol: PROTOCOL,
            epoch: Some("one".into()),
            cursor: FeedCursor { xid, seq: 0 },
            ..SyncPosition::default()
        }
    }

    fn sweep_after(contact: Contact) -> Option<SweepReason> {
        match contact {
            Contact::Same => None,
            Contact::Again { position, .. } => position.sweep.map(|sweep| sweep.reason),
        }
    }

    #[test]
    fn a_device_that_was_away_for_too_long_compares_all_ids_once() {
        let server = server("one", 50);
        assert_eq!(meet(&known(51), &server, Rules::default()), Contact::Same);
        assert_eq!(
            sweep_after(meet(&known(50), &server, Rules::default())),
            Some(SweepReason::Collected(50))
        );
        let swept = SyncPosition { swept: 50, ..known(50) };
        assert_eq!(meet(&swept, &server, Rules::default()), Contact::Same);
    }

    #[test]
    fn a_restored_server_is_read_from_the_start_and_offered_what_it_lacks() {
        let Contact::Again {
            position,
            is_new_past: true,
        } = meet(&known(80), &server("two", 0), Rules::default())
        else {
            panic!("the change was not seen");
        };
        assert_eq!(position.cursor, FeedCursor::default());
        assert_eq!(position.sweep.unwrap().reason, SweepReason::Epoch);
    }

    #[test]
    fn a_server_that_stands_before_what_was_seen_of_it_was_put_back() {
        let seen = |seen| SyncPosition { seen, ..known(80) };
        assert_eq!(meet(&seen(100), &server("one", 0), Rules::default()), Contact::Same);
        let Contact::Again {
            position,
            is_new_past: true,
        } = meet(&seen(101), &server("one", 0), Rules::default())
        else {
            panic!("the change was not seen");
        };
        assert_eq!((position.cursor, position.seen), (FeedCursor::default(), 100));
        assert_eq!(position.sweep.unwrap().reason, SweepReason::Epoch);
    }

    #[test]
    fn a_new_device_compares_nothing() {
        assert_eq!(
            sweep_after(meet(&SyncPosition::default(), &server("one", 50), Rules::default())),
            None
        );
    }

    #[test]
    fn a_later_app_reads_again_what_an_earlier_one_passed_over() {
        let earlier = SyncPosition {
            protocol: PROTOCOL - 1,
            ..known(80)
        };
        let Contact::Again { position, .. } = meet(&earlier, &server("one", 0), Rules::default()) else {
            panic!("the protocol was not looked at");
        };
        assert_eq!((position.cursor, position.protocol), (FeedCursor::default(), PROTOCOL));
    }

    #[test]
    fn a_server_that_learns_a_later_protocol_is_read_again_and_written_to_all_along() {
        let earlier = ServerInfo {
            protocol: (1, PROTOCOL - 1),
            ..server("one", 0)
        };
        assert!(may_write(&earlier));
        let Contact::Again { position, .. } = meet(&known(80), &earlier, Rules::default()) else {
            panic!("the protocol was not looked at");
        };
        assert_eq!((position.cursor.xid, position.protocol), (80, PROTOCOL - 1));
        let Contact::Again { position, .. } = meet(&position, &server("one", 0), Rules::default()) else {
            panic!("the protocol was not looked at");
        };
        assert_eq!((position.cursor, position.protocol), (FeedCursor::default(), PROTOCOL));
        let later = ServerInfo {
            protocol: (PROTOCOL + 1, PROTOCOL + 1),
            ..earlier
        };
        assert!(!may_write(&later));
    }
}
