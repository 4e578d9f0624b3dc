//go:build !linux

package launch

import (
	"io/fs"

	"github.com/lowport/lowport/internal/facts"
)

func statOf(fs.FileInfo, error) (facts.Stat, bool) { return facts.Stat{}, false }
