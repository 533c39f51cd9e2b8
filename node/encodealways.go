package node

import (
	"errors"
	"reflect"

	"github.com/filchsched/filch/exec/call"
)

// callEncoded calls the function as if its caller were another node (Config.EncodeAlways).
func (d *definition[A, R]) callEncoded(at *attempt, a A) (v R, err error) {
	before, err := d.args.Append(nil, a)
	if err != nil {
		return v, call.Errorf(call.BadArgument, "the argument cannot be encoded: %w", err)
	}
	if a, err = d.args.Decode(before); err != nil {
		return v, call.Errorf(call.BadArgument, "%w", err)
	}
	same, err := d.args.Decode(before)
	if err != nil {
		return v, call.Errorf(call.BadArgument, "%w", err)
	}
	if v, err = d.fn(at, a); err != nil {
		return v, err
	}
	if !reflect.DeepEqual(a, same) {
		return v, errors.New("the function has changed its argument, which is read-only: another attempt would get what is left of it")
	}
	b, err := d.result.Append(nil, v)
	if err != nil {
		return v, call.Errorf(call.BadResult, "%w", err)
	}
	if v, err = d.result.Decode(b); err != nil {
		return v, call.Errorf(call.BadResult, "%w", err)
	}
	return v, nil
}
