package launch

import (
	"io/fs"
	"syscall"

	"github.com/lowport/lowport/internal/facts"
)

// statOf is the mode and the owner of a file of this machine. Other file systems have no
// owners, and tell nothing of who may pass.
func statOf(info fs.FileInfo, err error) (facts.Stat, bool) {
	if err != nil {
		return facts.Stat{}, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return facts.Stat{}, false
	}
	return facts.Stat{Mode: st.Mode, UID: st.Uid, GID: st.Gid}, true
}
