package facts

// A Loader is how the loader of a dynamic program comes to its libraries, as far as it would
// not once execve sets AT_SECURE, as it does for a file with capabilities (ld.so(8)).
type Loader struct {
	Vars  []string `json:",omitempty"` // those of LoaderVars that are set, as NAME=VALUE
	Needs []string `json:",omitempty"` // those of LoaderVars, or Origin, by which it finds a library
	Maybe bool     `json:",omitempty"` // what Needs says may not be needed
}

// LoaderVars are the variables that a loader does not heed under AT_SECURE, as far as servers
// use them.
var LoaderVars = []string{"LD_LIBRARY_PATH", "LD_PRELOAD"}

// Origin stands in an ELF file for the folder that the file lies in.
const Origin = "$ORIGIN"
