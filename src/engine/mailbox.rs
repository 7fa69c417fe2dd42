//! A queue from the engine's thread to one Ruby thread that sleeps on it.

use std::collections::VecDeque;

use super::sync::{Arc, Mutex, Parker, lock};

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub enum Mail<T> {
    /// The next message.
    Message(T),
    /// Nothing yet: wait without the GVL.
    Empty,
    /// The sender has ended and everything was read.
    Closed,
}

/// A bounded queue with one reader. When it is full the oldest message gives way: what goes
/// through here informs, nothing is lost with it but the information.
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
