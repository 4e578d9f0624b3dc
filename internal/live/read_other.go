//go:build !linux

package live

import (
	"errors"

	"github.com/lowport/lowport/internal/facts"
)

// Read returns an empty record: this system has none of the evidence.
func Read(...int) facts.Record { return facts.Record{} }

// ReadFor returns an empty record.
func ReadFor(...Bind) facts.Record { return facts.Record{} }

// ReadHeld returns an empty record.
func ReadHeld() facts.Record { return facts.Record{} }

// Process is of Linux alone.
func Process(int, ...int) (facts.Record, error) { return nil, errors.ErrUnsupported }

// Listen is of Linux alone.
func Listen() string { return "" }

// Capset is of Linux alone.
func Capset() string { return "" }

// Runs is of Linux alone.
func (Heard) Runs() bool { return false }

// Refused returns an empty record.
func Refused(Heard, ...int) facts.Record { return facts.Record{} }

// MarksIn is of Linux alone.
func MarksIn([]byte) []byte { return nil }
