package proc

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A board is memory that filch and its supervisor share: a slot per command, which says how
// far its start has come. Filch needs to know only when it stops a command, which is
// rare; a message for every start would wake a thread each time.
//
// A slot goes from slotAsked to slotForking to the number of the process, by the supervisor's
// hand; or from slotAsked to slotRefused by filch's, and then the command does not start.
// Both changes away from slotAsked are compare-and-swap: exactly one happens.
type board struct {
	memory  []byte
	leashes []atomic.Int64 // of each slot: when it is over, in Clock's nanoseconds; 0: none
	slots   []atomic.Int32

	mu   sync.Mutex // guards free; filch's side only
	free []int
}

const (
	slotAsked   = 0
	slotRefused = -1
	slotForking = -2

	// boardSlots is one for every command that may run, and one for every thread that is
	// between two of them.
	boardSlots = 2 * maxRunning
	slotsFrom  = boardSlots * int(unsafe.Sizeof(atomic.Int64{})) // behind the leashes
	boardSize  = slotsFrom + boardSlots*int(unsafe.Sizeof(atomic.Int32{}))
)

// newBoard makes a board, and the file through which a supervisor gets at it.
func newBoard() (*board, *os.File, error) {
	fd, err := unix.MemfdCreate(supervisorName, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, nil, err
	}
	f := os.NewFile(uintptr(fd), "board")
	if err = f.Truncate(int64(boardSize)); err == nil {
		var b *board
		if b, err = openBoard(fd); err == nil {
			for i := range b.slots {
				b.free = append(b.free, len(b.slots)-1-i) // low ones first
			}
			return b, f, nil
		}
	}
	f.Close()
	return nil, nil, err
}

// openBoard maps the board that fd is.
func openBoard(fd int) (*board, error) {
	m, err := unix.Mmap(fd, 0, boardSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &board{
		memory:  m,
		leashes: unsafe.Slice((*atomic.Int64)(unsafe.Pointer(&m[0])), boardSlots),
		slots:   unsafe.Slice((*atomic.Int32)(unsafe.Pointer(&m[slotsFrom])), boardSlots),
	}, nil
}

// take reserves a slot for a command.
func (b *board) take() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	slot := b.free[len(b.free)-1] // maxRunning bounds the commands, so there is one
	b.free = b.free[:len(b.free)-1]
	b.slots[slot].Store(slotAsked)
	b.leashes[slot].Store(0)
	return slot
}

// giveBack ends the reservation of take.
func (b *board) giveBack(slot int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, slot)
}

// refuse keeps a command from starting, if that is still possible.
func (b *board) refuse(slot int) bool {
	return b.slots[slot].CompareAndSwap(slotAsked, slotRefused)
}

// beginFork is the supervisor's: it reports whether the command is still wanted.
func (b *board) beginFork(slot int) bool {
	return slot < len(b.slots) && b.slots[slot].CompareAndSwap(slotAsked, slotForking)
}

// leash is when the command has to be dead; 0: that is not said.
func (b *board) leash(slot int) time.Duration { return time.Duration(b.leashes[slot].Load()) }

// forked is the supervisor's: the command runs.
func (b *board) forked(slot, pid int) { b.slots[slot].Store(int32(pid)) }

// state is what the slot says.
func (b *board) state(slot int) int { return int(b.slots[slot].Load()) }

func (b *board) close() { unix.Munmap(b.memory) }
