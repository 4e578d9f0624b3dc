package machine

import "strings"

// noFileCaps looks for the boot option that has execve ignore file capabilities
// (file_caps_disable): a word of the kernel's command line before "--", behind which
// stands what is for process 1.
func noFileCaps(cmdline string) bool {
	for _, word := range strings.Fields(cmdline) {
		if word == "--" || word == "no_file_caps" {
			return word == "no_file_caps"
		}
	}
	return false
}
