package node

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"sync"

	"github.com/filchsched/filch/exec/call"
	"github.com/filchsched/filch/node/function"
)

// A Func is a Go function with a name, which every node of the program can run, and every node of other processes
// whose program defines it in the same version. Make it with Define. A Func is a small value; its methods may be called
// concurrently.
//
// A node calls it where there is room: here, without encoding anything, or at a peer that asks for work. It may run
// more than once for one call (at a peer that is lost meanwhile, say), and the call has one result.
type Func[A, R any] struct{ d *definition[A, R] }

// A definition is what a Func points to. It is never changed.
type definition[A, R any] struct {
	name   string // for people
	wire   string // name@version, for nodes
	fn     func(context.Context, A) (R, error)
	args   call.Codec[A]
	result call.Codec[R]
}

// Name is the name that the function was defined by; Version is its version.
func (f Func[A, R]) Name() string { return f.d.name }

// Version is the version that goes with the name: what Version set, or the build of the program.
func (f Func[A, R]) Version() string { return f.d.wire[len(f.d.name)+1:] }

// A DefOption changes what Define makes.
type DefOption func(*defOptions)

type defOptions struct {
	version     string
	args, reply any
}

// Version gives a function a version of its own. Nodes call each other's functions only in the same version; say a new one
// when arguments, result or meaning change. Without it the version is the build of the program, so that two builds never
// mix.
func Version(n uint) DefOption {
	return func(o *defOptions) { o.version = "v" + strconv.FormatUint(uint64(n), 10) }
}

// A Codec turns values into bytes and back. It is called concurrently. Decode gets bytes of other nodes, and must return an
// error for whatever it cannot take.
type Codec[T any] = call.Codec[T]

// Codecs has a function's arguments and results travel by codecs of its own instead of MessagePack.
func Codecs[A, R any](args Codec[A], result Codec[R]) DefOption {
	return func(o *defOptions) { o.args, o.reply = args, result }
}

// Define makes fn callable by nodes under a name of letters, digits and "._/-". It is meant for package variables: nodes
// know the functions that are defined before they start.
//
//	var Resize = node.Define("resize", func(ctx context.Context, in Image) (Image, error) { … })
//
// The argument is read-only: a call that is tried again, or runs at two nodes, gets the same. Values travel as
// MessagePack, so that of structs the exported fields do. What fn returns as an error is a *TaskError at the caller; a panic
// is one as well, and takes nothing else down. (What Go does not let anybody recover does: a fatal error, such as concurrent
// writes of a map, and a panic on a goroutine that fn has started.)
//
// fn's context is cancelled when its result is not wanted any more: the caller's context is done, or another attempt was
// faster. It must not be kept after fn has returned.
//
// Define panics if name and version are taken, if the name is not one, or if A or R cannot travel, as one with a channel.
func Define[A, R any](name string, fn func(context.Context, A) (R, error), o ...DefOption) Func[A, R] {
	d, err := newDefinition(name, fn, o)
	if err == nil {
		err = defined.add(d.wire, d.called)
	}
	if err != nil {
		panic(fmt.Sprintf("node: Define %q: %v", name, err))
	}
	return Func[A, R]{d}
}

var goodName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./-]*$`)

func newDefinition[A, R any](name string, fn func(context.Context, A) (R, error), options []DefOption) (*definition[A, R], error) {
	var o defOptions
	for _, set := range options {
		if set != nil {
			set(&o)
		}
	}
	if o.version == "" {
		o.version = buildID()
	}
	d := &definition[A, R]{name: name, wire: name + "@" + o.version, fn: fn}
	switch {
	case fn == nil:
		return nil, errors.New("there is no function")
	case !goodName.MatchString(name):
		return nil, errors.New("a name has letters, digits and . _ / -")
	case len(d.wire) > call.MaxName:
		return nil, fmt.Errorf("name and version have %d bytes, more than %d", len(d.wire), call.MaxName)
	}
	var ok bool
	if o.args == nil {
		if err := call.Supported[A](); err != nil {
			return nil, fmt.Errorf("its argument cannot travel: %w", err)
		}
		d.args = call.MsgPack[A]()
	} else if d.args, ok = o.args.(call.Codec[A]); !ok {
		return nil, fmt.Errorf("Codecs is for another argument: %T", o.args)
	}
	if o.reply == nil {
		if err := call.Supported[R](); err != nil {
			return nil, fmt.Errorf("its result cannot travel: %w", err)
		}
		d.result = call.MsgPack[R]()
	} else if d.result, ok = o.reply.(call.Codec[R]); !ok {
		return nil, fmt.Errorf("Codecs is for another result: %T", o.reply)
	}
	return d, nil
}

// called is the function over encoded values, as another node calls it.
func (d *definition[A, R]) called(ctx context.Context, body []byte) ([]byte, error) {
	t := function.TaskOf(ctx)
	if t == nil {
		return nil, errors.New("a typed function is called by a node only")
	}
	e, args, err := openEnvelope(body)
	if err != nil {
		return nil, call.Errorf(call.BadArgument, "%w", err)
	}
	a, err := d.args.Decode(args)
	if err != nil {
		return nil, call.Errorf(call.BadArgument, "%w", err)
	}
	ctx, cancel := e.within(ctx)
	defer cancel()
	at := newAttempt(ctx, t.Owner.(*Node), t, e.parent, e.depth)
	defer at.end()
	v, err := d.fn(at, a)
	if err != nil {
		return nil, err
	}
	b, err := d.result.Append(nil, v)
	if err != nil {
		return nil, call.Errorf(call.BadResult, "%w", err)
	}
	return b, nil
}

// functionsDefined are those of the process.
type functionsDefined struct {
	mu sync.Mutex
	by map[string]Function
}

var defined functionsDefined

func (d *functionsDefined) add(wire string, f Function) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, taken := d.by[wire]; taken {
		return errors.New("it is defined already: in one program a name has one function")
	}
	if d.by == nil {
		d.by = make(map[string]Function)
	}
	d.by[wire] = f
	return nil
}

// into registers them all.
func (d *functionsDefined) into(r *call.Registry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for wire, f := range d.by {
		if err := r.Register(wire, f); err != nil {
			return err
		}
	}
	return nil
}
