"""XDF: files of the Lab Streaming Layer."""
