//go:build !linux

package main

import (
	"errors"
	"fmt"
	"runtime"
)

var errOther = fmt.Errorf("file capabilities on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func witnessOf(string) (*witness, error) { return nil, errOther }

func gather(string) (evidence, error) { return evidence{}, errOther }
