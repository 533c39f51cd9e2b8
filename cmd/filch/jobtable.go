package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/filchsched/filch/node/control"
)

// table draws lines of columns.
func table(head string, lines [][]string) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ReplaceAll(head, " ", "\t"))
	for _, l := range lines {
		fmt.Fprintln(t, strings.Join(l, "\t"))
	}
	t.Flush()
	return trimRight(b.String())
}

// jobTable draws jobs. The ID is short: it is good at this node.
func jobTable(jobs []control.Job) string {
	var lines [][]string
	for _, j := range jobs {
		lines = append(lines, []string{
			shortJob(j.ID), dash(plain(j.Name)), j.State, fmt.Sprint(j.Tasks), fmt.Sprint(j.Done), fmt.Sprint(j.Failed), fmt.Sprint(j.Cancelled),
			since(j.Submitted), took(j.Submitted, j.Ended), plain(j.Runs),
		})
	}
	return table("JOB NAME STATE TASKS DONE FAILED CANCELLED AGE TIME RUNS", lines)
}

// taskTable draws the tasks of a job, under a line about the job.
func taskTable(d control.JobDetail) string {
	var lines [][]string
	for _, t := range d.Page {
		exit := "-"
		if t.Exit != nil && t.State != control.TaskCancelled {
			exit = fmt.Sprint(*t.Exit)
		}
		ran := "-"
		if t.Ended != nil && t.Host != "" {
			ran = duration(t.RanSeconds)
		}
		lines = append(lines, []string{
			fmt.Sprintf("%s/%d", shortJob(d.ID), t.Index), t.State, exit, dash(plain(t.Host)), ran, clipped(plain(t.Runs)), clipped(plain(firstLine(t.Reason))),
		})
	}
	about := fmt.Sprintf("%s  %s  %s: %s, %d done, %d failed, %d cancelled\n", d.ID, dash(plain(d.Name)), d.State, tasks(d.Tasks), d.Done, d.Failed, d.Cancelled)
	return about + table("TASK STATE EXIT HOST TIME COMMAND REASON", lines)
}

func tasks(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}

// shortJob is a job's ID as it is good at its home.
func shortJob(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// clipped keeps a long text from breaking a table.
func clipped(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func since(t time.Time) string { return time.Since(t).Round(time.Second).String() }

func took(from time.Time, to *time.Time) string {
	if to == nil {
		return "-"
	}
	return duration(to.Sub(from).Seconds())
}

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

// runTable draws runs.
func runTable(runs []control.Run) string {
	var lines [][]string
	for _, r := range runs {
		state := "running"
		if r.Ended != nil {
			state = "ended"
		}
		lines = append(lines, []string{r.ID[:min(len(r.ID), shortRun)], dash(plain(r.Name)), state, since(r.Started), took(r.Started, r.Ended), dash(clipped(plain(r.Runs)))})
	}
	return table("RUN NAME STATE AGE TIME RUNS", lines)
}

// shortRun is how much of a run's ID is shown: one in four billion is the same by chance.
const shortRun = len("run-") + 8

// stealTable draws who took what from whom, and what that is by level. JOB and RUNS are those of a "filch run".
func stealTable(s control.Steals) string {
	var lines [][]string
	byLevel := map[string]uint64{}
	var order []string
	for _, x := range s.Steals {
		lines = append(lines, []string{
			x.Level, plain(x.Thief), plain(x.Victim), homeName(x), dash(plain(x.Job)), dash(clipped(plain(x.Runs))), fmt.Sprint(x.Tasks), fmt.Sprint(x.Failed), duration(x.Seconds),
		})
		if _, there := byLevel[x.Level]; !there {
			order = append(order, x.Level)
		}
		byLevel[x.Level] += x.Tasks
	}
	var sums []string
	for _, l := range order {
		sums = append(sums, fmt.Sprintf("%s %d", l, byLevel[l]))
	}
	if len(sums) == 0 {
		sums = []string{"nothing was stolen"}
	}
	return table("LEVEL THIEF VICTIM HOME JOB RUNS TASKS FAILED TIME", lines) + strings.Join(sums, ", ") + "\n"
}

// homeName is whose the tasks are; of a run whose node is not known here the beginning of its ID.
func homeName(x control.Steal) string {
	if x.Home == x.HomeID && strings.HasPrefix(x.Home, "run-") {
		return plain(x.Home[:min(len(x.Home), shortRun)])
	}
	return plain(x.Home)
}

// explanationText tells what happened to a task.
func explanationText(e control.Explanation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", e.Task)
	if e.Job != nil {
		fmt.Fprintf(&b, "job    %s: %s, %s\n", dash(plain(e.Job.Name)), e.Job.State, tasks(e.Job.Tasks))
	}
	if r := e.Run; r != nil {
		state := "running"
		if r.Ended != nil {
			state = "ended " + since(*r.Ended) + " ago"
		}
		fmt.Fprintf(&b, "run    %s: %s\n", dash(plain(r.Name)), state)
	}
	fmt.Fprintf(&b, "runs   %s (%s)\nhome   %s\n", plain(e.Runs), e.Kind, plain(e.Home))
	fmt.Fprintf(&b, "state  %s\n", e.State)
	if t := e.Ended; t != nil && t.Host != "" {
		fmt.Fprintf(&b, "ended  on %s, exit %d, after %s\n", plain(t.Host), *t.Exit, duration(t.RanSeconds))
	}
	if e.Ended != nil && e.Ended.Reason != "" {
		fmt.Fprintf(&b, "why    %s\n", plain(firstLine(e.Ended.Reason)))
	}
	for _, line := range e.Story {
		fmt.Fprintf(&b, "  %s\n", plain(line))
	}
	for _, p := range e.Peers {
		m := control.Member{Level: p.Level, LevelReason: p.LevelReason, RTTSeconds: p.RTTSeconds, FreeCores: p.FreeCores, AgeSeconds: p.AgeSeconds}
		fmt.Fprintf(&b, "node   %s: %s, %s, rtt %s, %s cores free as of %s ago\n", plain(p.Name), p.State, levelOf(m), rttOf(m), freeOf(m), ageOf(m))
	}
	return b.String()
}
