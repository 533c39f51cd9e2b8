package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/filchsched/filch/cmd/filch/parallel"
)

// saveResults writes what a task printed below dir, as --results asks: the files
// stdout, stderr and seq in the directory of its inputs. It does not close the streams.
func saveResults(dir string, row parallel.Row, stdout, stderr parallel.Stream) error {
	place := filepath.Join(dir, parallel.ResultsDir(row))
	err := os.MkdirAll(place, 0o777)
	if err == nil {
		err = saveStream(filepath.Join(place, "stdout"), stdout)
	}
	if err == nil {
		err = saveStream(filepath.Join(place, "stderr"), stderr)
	}
	if err == nil { // last: where a directory is new and has it, the rest is whole
		err = os.WriteFile(filepath.Join(place, "seq"), strconv.AppendUint(nil, row.Seq, 10), 0o666)
	}
	if err != nil {
		return fmt.Errorf("cannot save the output of task %d: %w", row.Seq, err)
	}
	return nil
}

func saveStream(path string, s parallel.Stream) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	_, err = s.WriteTo(w)
	if err == nil {
		err = w.Flush()
	}
	return errors.Join(err, f.Close())
}
