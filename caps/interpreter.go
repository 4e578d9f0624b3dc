package caps

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// Interprets reports whether an ELF file is a program that runs other programs as its
// input or its arguments say: a shell, a language runtime, a debugger, a launcher such as
// env, or the dynamic loader. With capabilities it would run any program of any user with
// them. It goes by what is in the file of that size, whatever its name is, and beyond
// that by the name that such programs have, the last element of its path, with or without
// a version. A program that Go built is none, whatever its name.
//
// What is no ELF file is none: [NotELF] is a danger of its own. A file that cannot be
// read is an error.
func Interprets(file io.ReaderAt, size int64, base string) (bool, error) {
	kind, err := readELF(file)
	switch {
	case err == errNotELF:
		return false, nil
	case err != nil:
		return false, err
	case kind.loader:
		return true, nil
	case kind.golang:
		return false, nil
	}
	found, err := marked(io.NewSectionReader(file, 0, size))
	return found || interpreterName(base), err
}

// interpreters are names of programs that run other programs.
var interpreters = strings.Fields(`
	ash bash busybox csh dash fish ksh mksh rbash sh tcsh toybox zsh
	awk bun deno dotnet emacs erl expect gawk gdb gdbserver guile irb java
	julia lldb lua luajit make mawk mono nawk node nodejs octave perl php
	pwsh pypy python R ruby scheme tclsh vi vim wine wish
	env find nice nohup setpriv setsid strace sudo timeout unshare xargs`)

func interpreterName(base string) bool {
	return slices.Contains(interpreters, base) || slices.Contains(interpreters, strings.TrimRight(base, "0123456789.-"))
}

// marks are what such programs have in them and hardly another has: names of functions
// that they export or import, of libraries that they need, of variables that they read.
// All of one mark have to be there.
var marks = [...][]string{
	{"\x00OPTIND", "PS4"}, // a shell of POSIX
	{"BusyBox v"},
	{"toybox "},
	{"FISH_DEBUG_OUTPUT"},
	{"Py_BytesMain\x00"}, {"Py_Main\x00"},
	{"\x00perl_run\x00"}, {"\x00libperl.so"},
	{"\x00ruby_run_node\x00"},
	{"\x00napi_create_reference\x00"}, // node, deno, bun
	{"LUA_INIT"},
	{"JLI_Launch\x00"},
	{"PHP_INI_SCAN_DIR"},
	{"Tcl_Main"}, {"Tk_Main"}, {"Expect_Init"},
	{"\x00mono_main\x00"}, {"hostfxr_main"},
	{"\x00libguile-"}, {"\x00libjulia."}, {"\x00libR.so"},
	{"\x00MAKELEVEL\x00", "MAKEFLAGS"},
	{"\x00ENVIRON\x00", "\x00RSTART\x00"}, // awk
	{"VIMRUNTIME"}, {"EMACSLOADPATH"},
	{"GDBHISTFILE"}, {"PTRACE_SYSCALL", "PTRACE_TRACEME"},
	{"COMMAND [ARG]"}, {"COMMAND [INITIAL-ARGS]"}, {"<program> ["}, {"-execdir"}, // launchers
	{"[options] <command>"}, {" <command> ["}, {"pid|cmd"}, {"OPTION... COMMAND"}, {"sudo_dso_findsym_v1", "sudo_conf_debug_files_v1"},
}

// marked reports whether a mark is in what r reads, a piece at a time.
func marked(r io.Reader) (bool, error) {
	const overlap = 64 // longer than any mark
	var seen [len(marks)]uint8
	buf, have := make([]byte, 256<<10), 0
	for {
		n, err := io.ReadFull(r, buf[have:])
		piece := buf[:have+n]
		for i, mark := range marks {
			for j, text := range mark {
				if seen[i]>>j&1 == 0 && bytes.Contains(piece, []byte(text)) {
					seen[i] |= 1 << j
				}
			}
			if seen[i] == 1<<len(mark)-1 {
				return true, nil
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		have = copy(buf, piece[max(0, len(piece)-overlap):])
	}
}
