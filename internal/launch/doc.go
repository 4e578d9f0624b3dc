// Package launch says what a program is started with: the facts of whoever
// executes it, as this process, as another user or as systemd would. Package
// rules then says what the program holds once it runs.
//
// It reads units as systemd 249 to 262 do, by the version that is installed where they
// differ ([BuildOf]), and knows of each directive what it changes about a bind. What of a
// unit cannot be told from outside it says; nothing is guessed.
package launch
