package proc

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestUmask(t *testing.T) {
	eachStarter(t, func(t *testing.T, r *Runner) {
		_, supervised := r.starter.(*supervisedStarter)
		for _, umask := range []int{0, 0o27, 0o77} {
			path := filepath.Join(t.TempDir(), "made")
			res, _, _ := run(t, r, Command{Argv: []string{"sh", "-c", ": >$0", path}, Umask: &umask})
			if !supervised {
				if !errors.Is(res.Err, errors.ErrUnsupported) || res.Exit != ExitFilchFailed {
					t.Errorf("%+v", res.Outcome)
				}
				continue
			}
			if st, err := os.Stat(path); err != nil || st.Mode().Perm() != os.FileMode(0o666&^umask) {
				t.Errorf("umask %#o made %v, %v (%v)", umask, st, err, res.Err)
			}
		}
		wrong := -1
		if res := r.Run(t.Context(), Command{Argv: []string{"true"}, Umask: &wrong}); res.Exit != ExitFilchFailed {
			t.Errorf("%+v", res.Outcome)
		}
	})
}
