package facts

import (
	"bytes"
	"strings"
)

// StatWords returns the words of a /proc/PID/stat behind the name of the program: from the state
// on, field 3 of proc_pid_stat(5). The name, in brackets, may hold anything. It returns none if the
// name does not end.
func StatWords(stat []byte) []string {
	end := bytes.LastIndex(stat, []byte(") "))
	if end < 0 {
		return nil
	}
	return strings.Fields(string(stat[end+2:]))
}
