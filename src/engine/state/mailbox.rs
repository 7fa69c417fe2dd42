//! A queue from the engine's thread to one Ruby thread that sleeps on it.

use std::collections::VecDeque;

use crate::engine::sync::{Arc, Mutex, Parker, lock};

/// The result of reading.
#[derive(Debug, PartialEq, Eq)]
pub enum Mail<T> {
    /// The next message.
    Message(T),
    /// Nothing yet: wait without the GVL.
    Empty,
    /// The sender has ended and everything was read.
    Closed,
}

/// A bounded queue with one reader. When it is full, the oldest message gives way: messages only inform, so nothing but
/// the information is lost.
pub struct Mailbox<T> {
    state: Mutex<State<T>>,
    capacity: usize,
    /// Where the reader sleeps.
    pub parker: Arc<Parker>,
}

struct State<T> {
    messages: VecDeque<T>,
    closed: bool,
}

impl<T> Mailbox<T> {
    /// An empty mailbox for up to `capacity` unread messages.
    pub fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State {
                messages: VecDeque::new(),
                closed: false,
            }),
            capacity,
            parker: Arc::new(Parker::default()),
        }
    }

    /// Leaves a message and wakes the reader.
    pub fn send(&self, message: T) {
        let mut state = lock(&self.state);
        if state.messages.len() == self.capacity {
            state.messages.pop_front();
        }
        state.messages.push_back(message);
        drop(state);
        self.parker.notify();
    }

    /// What [`Self::read`] would return. Takes nothing.
    pub fn look(&self) -> Mail<()> {
        let state = lock(&self.state);
        match state.messages.front() {
            Some(_) => Mail::Message(()),
            None if state.closed => Mail::Closed,
            None => Mail::Empty,
        }
    }

    /// Takes the next message without waiting.
    pub fn read(&self) -> Mail<T> {
        let mut state = lock(&self.state);
        match state.messages.pop_front() {
            Some(message) => Mail::Message(message),
            None if state.closed => Mail::Closed,
            None => Mail::Empty,
        }
    }

    /// Nothing will be sent any more.
    pub fn close(&self) {
        lock(&self.state).closed = true;
        self.parker.notify();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sync::Woken;

    #[test]
    fn messages_come_in_order_and_end_after_the_last() {
        let mailbox = Mailbox::new(3);
        mailbox.send(1);
        mailbox.send(2);
        mailbox.close();
        assert_eq!(mailbox.look(), Mail::Message(()));
        assert_eq!(mailbox.read(), Mail::Message(1));
        assert_eq!(mailbox.read(), Mail::Message(2));
        assert_eq!(mailbox.look(), Mail::Closed);
        assert_eq!(mailbox.read(), Mail::Closed);
        assert_eq!(mailbox.read(), Mail::Closed);
    }

    #[test]
    fn the_oldest_gives_way_when_it_is_full() {
        let mailbox = Mailbox::new(2);
        (1..=3).for_each(|it| mailbox.send(it));
        assert_eq!(mailbox.read(), Mail::Message(2));
        assert_eq!(mailbox.read(), Mail::Message(3));
        assert_eq!(mailbox.read(), Mail::Empty);
    }

    #[test]
    fn what_is_sent_between_a_look_and_the_sleep_wakes_the_reader() {
        let mailbox = Mailbox::new(1);
        assert_eq!(mailbox.read(), Mail::Empty);
        mailbox.send(());
        assert_eq!(mailbox.parker.park(), Woken::Notified);
    }

    #[test]
    fn an_interruption_wakes_the_reader_and_is_told_apart() {
        let mailbox = Mailbox::<()>::new(1);
        mailbox.parker.interrupt();
        assert_eq!(mailbox.parker.park(), Woken::Interrupted);
        mailbox.parker.interrupt();
        mailbox.close();
        assert_eq!(mailbox.parker.park(), Woken::Notified);
    }

    #[test]
    fn every_message_reaches_a_reader_that_sleeps_between_them() {
        let mailbox = Arc::new(Mailbox::new(usize::MAX));
        let reader = {
            let mailbox = Arc::clone(&mailbox);
            std::thread::spawn(move || {
                let mut seen = Vec::new();
                loop {
                    match mailbox.read() {
                        Mail::Message(it) => seen.push(it),
                        Mail::Closed => return seen,
                        Mail::Empty => drop(mailbox.parker.park()),
                    }
                }
            })
        };
        for it in 0..10_000 {
            mailbox.send(it);
        }
        mailbox.close();
        let seen = reader.join().expect("the reader panicked");
        assert_eq!(seen, (0..10_000).collect::<Vec<_>>());
    }
}
