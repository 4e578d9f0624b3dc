package main

import (
	"errors"
	"strings"
)

// split splits a command into words as a shell does that expands nothing:
// quotes of both kinds and backslashes.
func split(s string) ([]string, error) {
	var words []string
	var b strings.Builder
	var quote byte // ' or " while inside
	begun := false // a word, perhaps an empty one
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && quote != '\'':
			if i++; i == len(s) {
				return nil, errors.New("a backslash at the end")
			}
			// Inside double quotes it is an escape before these alone.
			if quote == '"' && !strings.ContainsRune("$`\"\\\n", rune(s[i])) {
				b.WriteByte(c)
			}
			b.WriteByte(s[i])
			begun = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, begun = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\n'):
			if begun {
				words = append(words, b.String())
				b.Reset()
				begun = false
			}
		default:
			b.WriteByte(c)
			begun = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote without its end")
	}
	if begun {
		words = append(words, b.String())
	}
	if len(words) == 0 {
		return nil, errors.New("no command")
	}
	return words, nil
}
