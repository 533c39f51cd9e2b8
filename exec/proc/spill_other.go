//go:build !linux

package proc

import "os"

// createSpill makes a file in dir and unlinks it, where an open file can be
// unlinked (not on Windows).
func createSpill(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, spillPattern)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	return f, nil
}

// closeSpill closes a spill file and makes sure that it is gone.
func closeSpill(f *os.File) error {
	err := f.Close()
	os.Remove(f.Name()) // fails where createSpill could do it, as it should
	return err
}
