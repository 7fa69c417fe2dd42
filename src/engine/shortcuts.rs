//! The ways by which a job may arrive other than the plain one, which is a field of its own in the in-flight table.
//! Each exists for its speed, and each is one more case to consider for anything else that should happen to a job at
//! its claim. So all code that claims asks here, and nowhere else, which shortcuts are open; where none is, the queue
//! is claimed plainly. (Redis closes them all, too, while there are suspects: careful.lua.)

use serde::Deserialize;

/// From this many bytes on a payload is large: what the shortcut saves Redis outweighs the extra commands and the extra
/// round trip. Measured with payloads of 3 to 100 kB; they break even at 5.
pub(in crate::engine) const LARGE: usize = 8 << 10;

/// Named as in the setting `shortcuts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortcut {
    /// Up to 128 quick jobs share one field (parcel.lua).
    Parcels,
    /// Payloads of 8 kB and more are moved without being read by Lua (large.lua).
    Large,
    /// `BLMOVE` waits on the queues of an idle capsule (`blocking_pop`).
    HandOff,
    /// A worker takes the handed-over job straight from the socket (`direct_take`).
    DirectTake,
}

/// The shortcuts that are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortcuts(Vec<Shortcut>);

impl Default for Shortcuts {
    fn default() -> Self {
        Self(vec![
            Shortcut::Parcels,
            Shortcut::Large,
            Shortcut::HandOff,
            Shortcut::DirectTake,
        ])
    }
}

impl Shortcuts {
    /// Only these.
    pub fn only(open: Vec<Shortcut>) -> Self {
        Self(open)
    }

    /// Whether this one is open.
    pub(in crate::engine) fn has(&self, shortcut: Shortcut) -> bool {
        self.0.contains(&shortcut)
    }

    /// The most jobs in a parcel, where the pace would allow `most`.
    pub(in crate::engine) fn parcel(&self, most: usize) -> usize {
        if self.has(Shortcut::Parcels) { most } else { 0 }
    }

    /// From how many bytes on a payload is large; 0 if none is.
    pub(in crate::engine) fn large(&self) -> usize {
        if self.has(Shortcut::Large) { LARGE } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_none_is_open_claims_are_plain() {
        let (all, plain) = (Shortcuts::default(), Shortcuts::only(Vec::new()));
        assert_eq!((all.parcel(128), all.large()), (128, LARGE));
        assert_eq!((plain.parcel(128), plain.large()), (0, 0));
        let some = Shortcuts::only(vec![Shortcut::Large]);
        assert_eq!((some.parcel(128), some.large()), (0, LARGE));
        assert!(!some.has(Shortcut::HandOff) && !some.has(Shortcut::DirectTake));
    }
}
