//go:build !nofilch

package main

import (
	"context"
	"errors"

	"github.com/filchsched/filch/exec"
)

// onEngine runs work with a job on an engine of its own.
func onEngine(set settings, work func(*exec.Job) error) (err error) {
	e, err := exec.New(exec.Config{Workers: set.Workers})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	j, err := e.NewJob(exec.JobConfig{Name: "bench"})
	if err != nil {
		return err
	}
	return work(j)
}

// finish closes a job and waits for its tasks.
func finish(ctx context.Context, j *exec.Job) error {
	j.Close()
	return j.Wait(ctx)
}
