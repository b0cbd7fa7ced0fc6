//! Blocks that were given back, by size: most are asked for again within the same call, and
//! then neither split off from a larger gap nor joined with their neighbours.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr::null_mut;

/// What blocks differ by, and how they are aligned: talc's unit on wasm32.
const UNIT: usize = 16;

/// What talc keeps at the end of a block.
const TAIL: usize = 4;

/// Kinds of blocks: up to a kilobyte.
const KINDS: usize = 64;

/// Most bytes that stand on shelves; what is given back beyond them goes to the allocator
/// behind, where it can become a part of something larger.
const ROOM: usize = 1 << 20;

/// An allocator that keeps small blocks for itself when they are given back, one list for
/// each kind, and has them and all others from the one behind it. For a single thread.
pub struct Shelves<A> {
    behind: A,
    /// The first of each list; each block begins with the next one's address.
    first: [Cell<*mut u8>; KINDS],
    /// Bytes in all lists.
    held: Cell<usize>,
}

// SAFETY: without atomics, WebAssembly has no second thread that could reach it.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
unsafe impl<A: Sync> Sync for Shelves<A> {}

impl<A> Shelves<A> {
    /// Empty shelves before an allocator.
    pub const fn before(behind: A) -> Shelves<A> {
        Shelves {
            behind,
            first: [const { Cell::new(null_mut()) }; KINDS],
            held: Cell::new(0),
        }
    }
}

/// The kind of block for a layout, if it is one that is kept.
#[inline]
fn kind(layout: Layout) -> Option<usize> {
    let kind = (layout.size() + TAIL - 1) / UNIT;
    (kind < KINDS && layout.align() <= UNIT).then_some(kind)
}

/// What the allocator behind is asked for: all blocks of a kind are alike, whatever for.
#[inline]
fn block(kind: usize) -> Layout {
    let size = (kind + 1) * UNIT - TAIL;
    // SAFETY: the alignment is a power of two, and the size is a kilobyte at most.
    unsafe { Layout::from_size_align_unchecked(size, UNIT) }
}

// SAFETY: a block is either the caller's or in one list, and it is in the list of the kind that
// it was made as, since `kind` says the same of the same layout; what is kept in no list is
// between the caller and the allocator behind. Nothing here panics or allocates.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Shelves<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(kind) = kind(layout) else {
            // SAFETY: as the caller promises.
            return unsafe { self.behind.alloc(layout) };
        };
        let found = self.first[kind].get();
        if found.is_null() {
            // SAFETY: no block is empty.
            return unsafe { self.behind.alloc(block(kind)) };
        }
        // SAFETY: it is in the list, so `dealloc` wrote the next one's address there.
        self.first[kind].set(unsafe { found.cast::<*mut u8>().read() });
        self.held.set(self.held.get() - block(kind).size());
        found
    }

    unsafe fn dealloc(&self, given: *mut u8, layout: Layout) {
        let Some(kind) = kind(layout) else {
            // SAFETY: as the caller promises; `alloc` had it from there.
            return unsafe { self.behind.dealloc(given, layout) };
        };
        let held = self.held.get() + block(kind).size();
        if held > ROOM {
            // SAFETY: `alloc` had it from there, as such a block.
            return unsafe { self.behind.dealloc(given, block(kind)) };
        }
        self.held.set(held);
        // SAFETY: nobody uses it any more, and each block has room for an address.
        unsafe { given.cast::<*mut u8>().write(self.first[kind].get()) };
        self.first[kind].set(given);
    }

    unsafe fn realloc(&self, given: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as the caller promises.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (kind(layout), kind(wanted)) {
            // SAFETY: as the caller promises; `alloc` had it from there.
            (None, None) => return unsafe { self.behind.realloc(given, layout, size) },
            (before, after) if before == after => return given,
            _ => {}
        }
        // SAFETY: as the caller promises, the size is not zero.
        let moved = unsafe { self.alloc(wanted) };
        if !moved.is_null() {
            // SAFETY: both have so many bytes, and what was just made overlaps with nothing.
            unsafe { moved.copy_from_nonoverlapping(given, layout.size().min(size)) };
            // SAFETY: as the caller promises; it is not used again.
            unsafe { self.dealloc(given, layout) };
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;

    use super::*;

    #[test]
    fn a_block_has_room_for_what_it_is_for() {
        for size in 1..2 * KINDS * UNIT {
            for align in [1, 2, 4, 8, 16, 32] {
                let layout = Layout::from_size_align(size, align).expect("is one");
                if let Some(kind) = kind(layout) {
                    assert!((size..size + UNIT).contains(&block(kind).size()), "{size}");
                    assert!(align <= block(kind).align());
                }
            }
        }
    }

    #[test]
    fn what_was_given_back_is_given_out_again() {
        let memory = Shelves::before(System);
        let (small, smaller) = (Layout::new::<[u8; 40]>(), Layout::new::<[u64; 5]>());
        // SAFETY: each is given back once, as what it was asked for.
        unsafe {
            let one = memory.alloc(small);
            memory.dealloc(one, small);
            assert_eq!(memory.alloc(smaller), one);
            memory.dealloc(one, smaller);
        }
        assert_eq!(memory.held.get(), 44);
    }

    #[test]
    fn what_does_not_fit_on_the_shelves_goes_back_to_where_it_came_from() {
        let memory = Shelves::before(System);
        let layout = Layout::new::<[u8; 1_000]>();
        // SAFETY: each is given back once, as what it was asked for.
        unsafe {
            let blocks: Vec<*mut u8> = (0..3_000).map(|_| memory.alloc(layout)).collect();
            for block in blocks {
                memory.dealloc(block, layout);
            }
        }
        let held = memory.held.get();
        assert!(held <= ROOM && held > ROOM - 1_024, "{held}");
    }

    /// A block of somebody's, filled with `fill`.
    struct Held {
        at: *mut u8,
        layout: Layout,
        fill: u8,
    }

    impl Held {
        fn new(memory: &Shelves<System>, layout: Layout, fill: u8) -> Held {
            // SAFETY: no layout of the test is empty.
            let at = unsafe { memory.alloc(layout) };
            assert!(!at.is_null() && (at as usize).is_multiple_of(layout.align()));
            let held = Held { at, layout, fill };
            held.refill();
            held
        }

        fn refill(&self) {
            // SAFETY: so many bytes are ours.
            unsafe { self.at.write_bytes(self.fill, self.layout.size()) };
        }

        fn is_intact(&self, bytes: usize) -> bool {
            // SAFETY: so many bytes are ours, and `refill` wrote them.
            let content = unsafe { std::slice::from_raw_parts(self.at, bytes) };
            content.iter().all(|byte| *byte == self.fill)
        }

        fn resize(&mut self, memory: &Shelves<System>, size: usize) {
            let kept = size.min(self.layout.size());
            // SAFETY: it is ours, and no size of the test is zero.
            self.at = unsafe { memory.realloc(self.at, self.layout, size) };
            assert!(!self.at.is_null() && self.is_intact(kept));
            self.layout = Layout::from_size_align(size, self.layout.align()).expect("is one");
            self.refill();
        }

        fn drop(self, memory: &Shelves<System>) {
            assert!(self.is_intact(self.layout.size()));
            // SAFETY: it is ours, and nobody else's.
            unsafe { memory.dealloc(self.at, self.layout) };
        }
    }

    #[test]
    fn nobody_writes_into_what_is_anothers() {
        let memory = Shelves::before(System);
        let mut state = 1_u64;
        let mut below = |most: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize % most
        };
        let mut all: Vec<Held> = Vec::new();
        for step in 0..200_000 {
            let size = 1 + below([20, 200, 2_000, 20_000][step % 4]);
            // Many at first, so that the shelves are full once they go.
            match below(if step % 20_000 < 10_000 { 4 } else { 8 }) {
                0 | 1 => {
                    let layout = Layout::from_size_align(size, 1 << below(6)).expect("is one");
                    all.push(Held::new(&memory, layout, step as u8));
                }
                2 if !all.is_empty() => {
                    let at = below(all.len());
                    all[at].resize(&memory, size);
                }
                _ if !all.is_empty() => all.swap_remove(below(all.len())).drop(&memory),
                _ => {}
            }
        }
        all.into_iter().for_each(|held| held.drop(&memory));
        assert!(memory.held.get() > 0);
    }
}
