//go:build unix

package guard

import (
	"fmt"
	"os"
	"syscall"
)

// isJournal reports whether a file is the stream to the journal that JOURNAL_STREAM
// names by device and inode, see systemd.exec(5).
func isJournal(f *os.File, stream string) bool {
	info, err := f.Stat()
	if err != nil || stream == "" {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && stream == fmt.Sprintf("%d:%d", st.Dev, st.Ino)
}
