package facts

import "strings"

// NoFileCaps looks for the boot option that has execve ignore file capabilities
// (file_caps_disable): a word of the kernel's command line before "--", behind which
// stands what is for process 1. The kernel compares only so much of it as the option is
// long, and takes "-" for "_" (obsolete_checksetup, parameqn).
func NoFileCaps(cmdline string) bool {
	for _, word := range strings.Fields(cmdline) {
		if word == "--" {
			return false
		}
		if strings.HasPrefix(strings.ReplaceAll(word, "-", "_"), "no_file_caps") {
			return true
		}
	}
	return false
}
