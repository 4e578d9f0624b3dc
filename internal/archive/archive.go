// Package archive saves a record as a txtar archive, and loads it again.
package archive

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/txtar"
)

// Save writes the record as a txtar archive: a file for each item, its name
// followed by ": ERROR" where reading failed. Data that is not plain lines is
// quoted as a Go string.
func Save(r facts.Record) []byte {
	var a txtar.Archive
	for _, name := range facts.Items {
		item, ok := r[name]
		if !ok {
			continue
		}
		f := txtar.File{Name: name, Data: item.Data}
		if item.Err != "" {
			f = txtar.File{Name: name + ": " + oneLine(item.Err)}
		} else if !plain(item.Data) {
			f.Data = []byte(strconv.Quote(string(item.Data)) + "\n")
		}
		a.Files = append(a.Files, f)
	}
	return txtar.Format(a)
}

// Load reads what Save wrote. An item it does not know is an error: evidence
// that is passed over proves nothing.
func Load(b []byte) (facts.Record, error) {
	r := facts.Record{}
	a := txtar.Parse(b)
	if len(a.Files) == 0 {
		return nil, errors.New("record: it holds no evidence")
	}
	if b[len(b)-1] != '\n' {
		return nil, errors.New("record: cut short")
	}
	for _, f := range a.Files {
		name, reason, _ := strings.Cut(f.Name, ": ")
		if !slices.Contains(facts.Items, name) {
			return nil, fmt.Errorf("record: %q is not an item", name)
		}
		if _, twice := r[name]; twice {
			return nil, fmt.Errorf("record: %s: item repeated", name)
		}
		if reason != "" && len(f.Data) > 0 {
			return nil, fmt.Errorf("record: %s: both data and an error", name)
		}
		data, err := unquote(strings.TrimSuffix(string(f.Data), "\n"), string(f.Data))
		if err == nil {
			reason, err = unquote(reason, reason)
		}
		if err != nil {
			return nil, fmt.Errorf("record: %s: %w", name, err)
		}
		r[name] = facts.Item{Data: []byte(data), Err: reason}
	}
	return r, nil
}

// unquote returns what quoted stands for if it is a Go string, else plain.
func unquote(quoted, plain string) (string, error) {
	if !strings.HasPrefix(quoted, `"`) {
		return plain, nil
	}
	return strconv.Unquote(quoted)
}

// oneLine makes the text of an error fit for the line of a file marker.
func oneLine(s string) string {
	if plain([]byte(s+"\n")) && strings.TrimSpace(s) == s && !strings.Contains(s, "\n") {
		return s
	}
	return strconv.Quote(s)
}

// plain reports whether data survives a txtar archive as it is: printable
// lines, none of which looks like a file marker.
func plain(data []byte) bool {
	if len(data) == 0 {
		return true
	}
	if data[len(data)-1] != '\n' || data[0] == '"' || bytes.Contains(append([]byte{'\n'}, data...), []byte("\n-- ")) {
		return false
	}
	for _, c := range string(data) {
		if c != '\n' && c != '\t' && !strconv.IsPrint(c) || c == '\uFFFD' {
			return false
		}
	}
	return true
}
