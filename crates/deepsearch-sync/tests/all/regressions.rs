//! Worlds that ended badly once, with the fewest steps that made them.

use crate::link::Fault;
use crate::simulation::{Act, Broken, Step, WebAct, live};

fn ends_well(devices: usize, steps: &[Step]) {
    if let Err(error) = live(devices, steps, Broken::default()) {
        panic!("{error}");
    }
}

/// The message was acknowledged, deleted by a stale save, and its chat deleted for ever before it was offered again.
#[test]
fn a_hidden_message_goes_with_its_chat() {
    ends_well(
        2,
        &[
            Step::Person(0, Act::NewChat),
            Step::Sync(0, None),
            Step::Sync(1, None),
            Step::Web(WebAct::Load(0), false),
            Step::Person(1, Act::DeleteForever(0)),
            Step::Person(0, Act::Say(0)),
            Step::Sync(0, None),
            Step::Web(WebAct::Save(0, false), false),
        ],
    );
}

/// The chat's beginning was in the future, and is taken back to after its last activity.
#[test]
fn a_chat_begins_after_its_last_activity_when_the_server_says_so() {
    ends_well(
        3,
        &[
            Step::Skew(0, 525_600),
            Step::BackUp,
            Step::Person(0, Act::NewChat),
            Step::Sync(0, None),
            Step::Restore,
            Step::Sync(1, None),
        ],
    );
}

/// A message that was saved from a deleted chat is met again in that chat, which a backup brought back.
#[test]
fn what_was_recovered_goes_back_into_a_chat_that_is_restored() {
    ends_well(
        2,
        &[
            Step::Person(0, Act::NewChat),
            Step::Sync(0, Some((2, Fault::LostAnswer))),
            Step::BackUp,
            Step::Web(WebAct::HardDelete(0), false),
            Step::Sync(0, None),
            Step::Restore,
            Step::Sync(1, None),
        ],
    );
}

/// An answer that was stopped arrives before its chat, and is continued while it is being sent.
#[test]
fn an_answer_that_grows_ends_whole_everywhere() {
    ends_well(
        2,
        &[
            Step::Person(0, Act::NewChat),
            Step::Person(0, Act::Interrupt(0)),
            Step::Sync(0, Some((3, Fault::LostAnswer))),
            Step::Person(0, Act::Continue(0)),
            Step::SyncAndSay(0, 0),
            Step::Sync(1, None),
        ],
    );
}

/// The server takes a time back from the future, and its answer is lost.
#[test]
fn a_time_that_was_taken_back_is_learned_from_the_feed() {
    ends_well(
        2,
        &[
            Step::Skew(0, 600),
            Step::Person(0, Act::NewChat),
            Step::Sync(0, Some((3, Fault::LostAnswer))),
            Step::Sync(0, Some((2, Fault::LostAnswer))),
        ],
    );
}

/// Two devices with clocks a year ahead touch one chat, and the server takes both back to the same instant: the second
/// row is the same as the first, and its device has to learn the time all the same.
#[test]
fn a_row_that_is_the_same_only_once_it_was_taken_back_is_learned_too() {
    ends_well(
        3,
        &[
            Step::Web(WebAct::NewChat, false),
            Step::Sync(0, None),
            Step::Skew(0, 525_600),
            Step::Sync(2, None),
            Step::Skew(2, 525_600),
            Step::Person(0, Act::Rename(0)),
            Step::Person(2, Act::Say(0)),
        ],
    );
}

/// A message came before its chat, which then was deleted for ever, and half a year later nobody remembers that it was.
#[test]
fn what_waits_for_a_chat_that_nobody_remembers_waits_no_more() {
    ends_well(
        2,
        &[
            Step::Sync(0, None),
            Step::Sync(1, None),
            Step::Person(0, Act::NewChat),
            Step::Sync(0, None),
            // An open transaction holds back the chat, and not the message that was there before.
            Step::Web(WebAct::NewChat, true),
            Step::Web(WebAct::Rename(0), false),
            Step::Sync(1, None),
            Step::Web(WebAct::HardDelete(0), false),
            Step::End(0, true),
            Step::Days(192),
            Step::Collect,
        ],
    );
}

/// A device looks for what the server deleted and forgot, breaks off, and goes on when its clock is a year ahead. What it
/// misses then is offered again soon all the same.
#[test]
fn what_is_missed_with_a_wrong_clock_does_not_wait_for_that_clock() {
    ends_well(
        2,
        &[
            Step::Person(1, Act::NewChat),
            Step::Sync(1, None),
            Step::Web(WebAct::Load(0), false),
            Step::Person(1, Act::Say(0)),
            Step::Sync(1, None),
            Step::Web(WebAct::Save(0, false), false),
            Step::Days(192),
            Step::Collect,
            Step::Sync(1, Some((1, Fault::LostRequest))),
            Step::Skew(1, 525_600),
        ],
    );
}

/// The server was put back to before the chat, one device deletes it for ever, and another, which still has it, brings it
/// back as it knows it.
#[test]
fn a_tag_goes_with_a_chat_that_is_deleted_where_the_tag_was_given() {
    ends_well(
        2,
        &[
            Step::BackUp,
            Step::Person(0, Act::NewChat),
            Step::Sync(0, None),
            Step::Sync(1, None),
            Step::Person(1, Act::Tag(0)),
            Step::Restore,
            Step::Person(1, Act::DeleteForever(0)),
            Step::Sync(1, None),
        ],
    );
}

/// A clock is ahead by more than the server bears, which keeps the setting as of a moment to come; before that has come,
/// the web app chooses another.
#[test]
fn what_the_web_app_chooses_holds_although_a_device_chose_for_a_moment_to_come() {
    ends_well(
        2,
        &[
            Step::Skew(1, 600),
            Step::Person(1, Act::Choose(0, 1)),
            Step::Sync(1, None),
            Step::Web(WebAct::Choose(2), false),
        ],
    );
}

/// What was being written while the server was backed up is written, seen and then lost with everything that came later,
/// which nobody has seen.
#[test]
fn what_was_half_written_in_a_backup_is_missed_when_the_server_is_put_back() {
    ends_well(
        2,
        &[
            Step::Web(WebAct::NewChat, true),
            Step::Web(WebAct::NewChat, false),
            Step::BackUp,
            Step::End(0, true),
            Step::Sync(1, None),
            Step::PutBack,
        ],
    );
}
