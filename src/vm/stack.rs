//! The unused part of the main thread's stack.

/// Returns to the system whatever lies below this thread's frames on its stack, if that is the process's first stack.
///
/// Ruby reserves the whole stack when it starts, by writing at its far end. Built with `-fstack-clash-protection`, as
/// in Debian since 13, it writes to each page on the way, and 8 MB stay resident that nobody needs.
#[cfg(target_os = "linux")]
pub(super) fn give_back() {
    /// For the running calls and the next ones.
    const KEPT: usize = 256 << 10;
    let here = 0_u8;
    let here = (&raw const here).expose_provenance();
    let Some(bottom) = first_stack().filter(|it| it.contains(&here)) else {
        return;
    };
    // SAFETY: takes a number.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    let (low, high) = (bottom.start, here.saturating_sub(KEPT) / page * page);
    if low < high {
        // SAFETY: these pages belong to the stack of this very thread and lie below all of its frames, by far more than
        // what the call itself uses. Nothing lives there; later calls find zeroes there.
        let _ = unsafe {
            libc::madvise(
                std::ptr::with_exposed_provenance_mut(low),
                high - low,
                libc::MADV_DONTNEED,
            )
        };
    }
}

/// Where the kernel has put the process's first stack.
#[cfg(target_os = "linux")]
fn first_stack() -> Option<std::ops::Range<usize>> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let line = maps.lines().find(|it| it.ends_with("[stack]"))?;
    let (start, end) = line.split_once(' ')?.0.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    Some(number(start)?..number(end)?)
}

/// Whether other systems need it is not known.
#[cfg(not(target_os = "linux"))]
pub(super) fn give_back() {}
