// Package drop lets go of capabilities in this process, on every thread.
package drop
