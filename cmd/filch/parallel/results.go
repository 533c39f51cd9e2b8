package parallel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrResults refuses the forms of --results that parallel has beside a directory.
var ErrResults = errors.New("only the name of a directory is supported yet: no replacement strings, .csv, .tsv or .json")

// CheckResults reports whether --results can be given dir.
func CheckResults(dir string) error {
	parts, found := parseParts(dir)
	switch {
	case dir == "":
		return errors.New("give the name of a directory")
	case found || len(parts) == 0:
		return ErrResults
	}
	switch filepath.Ext(dir) {
	case ".csv", ".tsv", ".json":
		return ErrResults
	}
	return nil
}

// ResultsDir is where the output of a row goes, below the directory of --results, as in
// parallel: 1/value of the first source/2/value of the second …, and the same again for
// each further input of a row that has several.
func ResultsDir(r Row) string {
	sources := r.Sources
	if sources == 0 {
		sources = len(r.Columns)
	}
	var path []string
	for i, v := range r.Columns {
		path = append(path, strconv.Itoa(i%sources+1), ResultsName(v))
	}
	return filepath.Join(path...)
}

const (
	// maxName is what file systems take for a name, in bytes.
	maxName = 255
	// keptOfLong is how much of a longer one stays, before what makes it unique.
	keptOfLong = 200
)

// ResultsName is a value as the name of a directory. As in parallel a slash becomes \_, a
// backslash is doubled, a tab is \t. What parallel takes as it stands, and
// then writes elsewhere or not at all, has a name of its own: \e is empty, \. and \.. are
// the two directories that every directory has, and of a name too long for a file system a hash is the end.
func ResultsName(v string) string {
	switch v {
	case "":
		return `\e`
	case ".", "..":
		return `\` + v
	}
	name := resultsEscapes.Replace(v)
	if len(name) > maxName {
		sum := sha256.Sum256([]byte(v))
		name = name[:keptOfLong] + `\h` + hex.EncodeToString(sum[:16])
	}
	return name
}

var resultsEscapes = strings.NewReplacer("/", `\_`, `\`, `\\`, "\t", `\t`, "\x00", `\0`)
