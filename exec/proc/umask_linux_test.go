package proc

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
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

// TestUmasksWithoutThreadsOfTheirOwn: where unshare is forbidden, as in containers, each command has its own umask
// all the same.
func TestUmasksWithoutThreadsOfTheirOwn(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	fd := int(null.Fd())
	before := unix.Umask(0o22)
	defer unix.Umask(before)
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 40 {
		mask, path := []int{-1, 0, 0o27, 0o77}[i%4], filepath.Join(dir, strconv.Itoa(i))
		all.Go(func() {
			q := &request{path: sh, argv: []string{"sh", "-c", ": >" + path}, env: os.Environ(), umask: mask}
			pid, err := new(spawner).fork(q, []int{fd, fd, fd, fd})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := unix.Wait4(pid, nil, 0, nil); err != nil {
				t.Error(err)
			}
			if mask < 0 {
				mask = 0o22
			}
			if st, err := os.Stat(path); err != nil || st.Mode().Perm() != os.FileMode(0o666&^mask) {
				t.Errorf("umask %#o made %v (%v)", mask, st, err)
			}
		})
	}
	all.Wait()
}
