package unit

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is what a value may have: systemd reads lines of up to 1 MiB, and
// one rune more is not a value but a mistake.
const longest = 1 << 16

// check says what keeps the fields from becoming units that work.
func (s Service) check() error {
	if len(s.Exec) == 0 {
		return errors.New("unit: Exec is empty: it names the program")
	}
	if err := checkProgram(s.Exec[0]); err != nil {
		return err
	}
	if strings.ContainsAny(s.Name, `@\`) || strings.HasPrefix(s.Name, "-") || strings.HasPrefix(s.Name, ".") {
		return fmt.Errorf("unit: Name %q is not one for a new unit", s.Name)
	}
	for _, arg := range s.Exec[1:] {
		if err := checkWord("Exec", arg); err != nil {
			return err
		}
	}
	if s.EnvFile != "" {
		if err := checkPath("EnvFile", s.EnvFile); err != nil {
			return err
		}
		if strings.ContainsAny(s.EnvFile, "*?[") {
			return fmt.Errorf("unit: EnvFile %q has a wildcard", s.EnvFile)
		}
	}
	for _, e := range s.Env {
		if err := checkEnv(e); err != nil {
			return err
		}
	}
	switch {
	case !slices.Contains([]string{"exec", "simple", "notify"}, s.Type):
		return fmt.Errorf("unit: Type %q is none of exec, simple and notify", s.Type)
	case !slices.Contains([]string{"no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always"}, s.Restart):
		return fmt.Errorf("unit: Restart %q is none of no, on-success, on-failure, on-abnormal, on-watchdog, on-abort and always", s.Restart)
	case s.RestartSec < 0:
		return fmt.Errorf("unit: RestartSec %d is negative", s.RestartSec)
	case s.Socket && len(s.Listen)+len(s.ListenUDP) == 0:
		return errors.New("unit: Listen is empty: the socket route has to know the address")
	}
	if err := checkText("Description", s.Description); err != nil {
		return err
	}
	if err := checkName("WantedBy", s.WantedBy); err != nil {
		return err
	}
	return s.checkShared()
}

// checkShared are the checks that a drop-in needs as well.
func (s Service) checkShared() error {
	if err := checkName("Name", s.Name+".service"); err != nil {
		return err
	}
	if kind := path.Ext(s.Name); slices.Contains(kinds, kind) {
		return fmt.Errorf("unit: Name %q is that of a %s: this writes services", s.Name, kind[1:])
	}
	for _, units := range [][]string{s.After, s.Wants, s.Requires} {
		for _, u := range units {
			if err := checkName("a unit", u); err != nil {
				return err
			}
		}
	}
	if s.WorkDir != "" {
		if err := checkWorkDir(s.WorkDir); err != nil {
			return err
		}
	}
	for _, p := range s.Write {
		if err := s.checkWrite(p); err != nil {
			return err
		}
	}
	for field, who := range map[string]string{"User": s.User, "Group": s.Group} {
		if err := checkUser(field, who); err != nil {
			return err
		}
	}
	return nil
}

// checkWord refuses what cannot be one word of a line.
func checkWord(field, s string) error {
	switch {
	case !utf8.ValidString(s), strings.ContainsFunc(s, noncharacter):
		return fmt.Errorf("unit: %s %q is not UTF-8 as systemd wants it, which ignores such lines", field, s)
	case strings.ContainsFunc(s, unicode.IsControl):
		return fmt.Errorf("unit: %s %q has a control character", field, s)
	case len(s) > longest:
		return fmt.Errorf("unit: %s of %d bytes is too long", field, len(s))
	}
	return nil
}

// noncharacter reports whether c is one of those that Unicode keeps for no
// interchange, and systemd takes for no UTF-8 (unichar_is_valid).
func noncharacter(c rune) bool { return 0xFDD0 <= c && c <= 0xFDEF || c&0xFFFE == 0xFFFE }

// checkText refuses what cannot be a whole value: systemd strips white space
// around it, and a backslash at its end would take in the next line.
func checkText(field, s string) error {
	if err := checkWord(field, s); err != nil {
		return err
	}
	if strings.TrimSpace(s) != s || strings.HasSuffix(s, `\`) {
		return fmt.Errorf("unit: %s %q begins or ends in a space, or ends in a backslash", field, s)
	}
	return nil
}

// checkPath refuses what is no absolute, simple path.
func checkPath(field, p string) error {
	if err := checkText(field, p); err != nil {
		return err
	}
	if !path.IsAbs(p) || path.Clean(p) != p {
		return fmt.Errorf("unit: %s %q is not an absolute path without detours", field, p)
	}
	return nil
}

// hidden are the folders that the hardening gives the service an empty one of.
var hidden = []struct{ folder, by string }{
	{"/home", "ProtectHome="}, {"/root", "ProtectHome="}, {"/run/user", "ProtectHome="},
	{"/tmp", "PrivateTmp="}, {"/var/tmp", "PrivateTmp="}, {"/dev", "PrivateDevices="},
}

func checkVisible(field, p string) error {
	for _, h := range hidden {
		if p == h.folder || strings.HasPrefix(p, h.folder+"/") {
			return fmt.Errorf("unit: %s %q cannot be seen by the service: %s hides %s; put it elsewhere, such as in /opt or /srv", field, p, h.by, h.folder)
		}
	}
	return nil
}

// checkWorkDir allows the folders that are empty ones themselves: it is what lay
// in them that is gone, and systemd would end with 200/CHDIR.
func checkWorkDir(p string) error {
	if err := checkPath("WorkDir", p); err != nil {
		return err
	}
	if slices.Contains([]string{"/tmp", "/var/tmp", "/dev"}, p) {
		return nil
	}
	return checkVisible("WorkDir", p)
}

func checkProgram(p string) error {
	if err := checkPath("Exec", p); err != nil {
		return err
	}
	if strings.ContainsAny(p, `'"\`) {
		return fmt.Errorf("unit: Exec %q: systemd accepts no program with a quote or a backslash in its path", p) // string_is_safe
	}
	return checkVisible("Exec", p)
}

func checkEnv(e string) error {
	key, _, ok := strings.Cut(e, "=")
	letters := func(c rune) bool {
		return c == '_' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
	}
	if !ok || key == "" || '0' <= key[0] && key[0] <= '9' || strings.TrimFunc(key, letters) != "" {
		return fmt.Errorf("unit: Env %q is not KEY=VALUE", e)
	}
	return checkWord("Env", e)
}

var kinds = []string{".service", ".socket", ".target", ".mount", ".automount", ".swap", ".path", ".timer", ".device", ".slice", ".scope"}

// checkName refuses what is no name of a unit (unit_name_is_valid); "@" is left
// to those who know their templates.
func checkName(field, name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_.-\\@"
	stem, suffix := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
	if stem == "" || len(name) > 240 || strings.Trim(name, letters) != "" || strings.HasPrefix(stem, "@") || !slices.Contains(kinds, suffix) || strings.HasSuffix(name, `\`) {
		return fmt.Errorf("unit: %s %q is not the name of a unit", field, name)
	}
	return nil
}

// checkUser refuses root, and what is no name of an account; "" is none given.
func checkUser(field, who string) error {
	letters := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	if who == "" {
		return nil
	}
	if id, err := strconv.ParseUint(who, 10, 32); err == nil {
		if strconv.FormatUint(id, 10) != who {
			return fmt.Errorf("unit: %s %q begins with a zero, and systemd accepts no such number", field, who)
		}
		if id == 0 || id == 65534 || id == 65535 || id >= 1<<32-2 {
			return fmt.Errorf("unit: %s %s is root's or nobody's: use an account of the service's own, or none", field, who)
		}
		return nil
	}
	switch {
	case who == "root", who == "nobody", who == "nogroup":
		return fmt.Errorf("unit: %s %s is not for services: use an account of the service's own, or none", field, who)
	case len(who) > 31, strings.Trim(who, letters) != "", strings.ContainsAny(who[:1], "0123456789-"):
		return fmt.Errorf("unit: %s %q is not the name of an account", field, who)
	}
	return nil
}

func base(p string) string { return path.Base(p) }
