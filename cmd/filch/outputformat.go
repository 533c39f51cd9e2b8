package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// An outputFormat is the value of --output: what a verb prints, for people or for
// programs.
type outputFormat string

const (
	outputText outputFormat = "text"
	outputJSON outputFormat = "json"
)

// register adds --output to c, with text as the default.
func (f *outputFormat) register(c *cobra.Command) {
	*f = outputText
	c.Flags().VarP(f, "output", "o", "text or json")
}

// String, Set and Type make it a flag's value.
func (f *outputFormat) String() string { return string(*f) }

// Set accepts the formats there are.
func (f *outputFormat) Set(s string) error {
	switch v := outputFormat(s); v {
	case outputText, outputJSON:
		*f = v
		return nil
	}
	return errors.New("there is text and json")
}

// Type is shown in the help.
func (f *outputFormat) Type() string { return "format" }
