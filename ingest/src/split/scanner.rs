//! Byte-wise state of the splitter: where a record begins and ends.

/// Deeper brackets are only counted, so that memory stays bounded; the decoder refuses such a record anyway.
const MAX_STACK: usize = 4096;
const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];

/// What one byte means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Belongs to no record.
    Skip,
    /// Belongs to the open record, or opens one.
    Inside,
    /// Is the last byte of the record.
    Last,
    /// The record ended before this byte; `again`: the byte has yet to be looked at.
    Before { again: bool },
    /// A run of zero bytes ended before this byte, which has yet to be looked at.
    AfterZeros,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Layout {
    /// Nothing but white space so far.
    #[default]
    Unknown,
    Array,
    Sequence,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    /// In an object, or in an array that is an element.
    Container,
    /// Behind the closing bracket of a record of a sequence, on the same line.
    Tail,
    /// Array element that is no container.
    Scalar,
    /// Line of a sequence that is no object.
    Junk,
    /// Binary bytes: up to the next line that begins with `{`.
    Noise,
    /// Zero bytes and nothing else: what a file system leaves where a file was cut under its writer.
    Zeros,
    /// Array level after a broken element: up to a line that begins with `{` or `]`.
    Lost,
}

/// An open bracket.
#[derive(Clone, Copy, Debug)]
struct Open {
    bracket: u8,
    /// How many brackets stay open when the nearest one of the other kind below this one is closed. None: there is
    /// no such one.
    below_other: Option<usize>,
}

#[derive(Debug, Default)]
pub(super) struct Scanner {
    layout: Layout,
    state: State,
    /// Open brackets of the record.
    stack: Vec<Open>,
    /// Open brackets beyond `MAX_STACK`.
    deeper: usize,
    in_string: bool,
    escaped: bool,
    /// Last byte outside strings that is no white space.
    last: u8,
    /// Nothing but white space since the line end.
    at_line_start: bool,
    /// The record has a raw line end inside.
    spans_lines: bool,
    /// None until a complete record was seen.
    is_ndjson: Option<bool>,
    bom: usize,
    has_zeros: bool,
}

impl Scanner {
    pub(super) fn is_blank(&self) -> bool {
        self.layout == Layout::Unknown && !self.has_zeros
    }

    pub(super) fn in_record(&self) -> bool {
        !matches!(self.state, State::Between | State::Lost)
    }

    pub(super) fn array_is_open(&self) -> bool {
        self.layout == Layout::Array
    }

    /// Whether the open record is complete when the stream ends here.
    pub(super) fn ends_with_stream(&self) -> bool {
        matches!(self.state, State::Tail | State::Junk | State::Noise)
    }

    pub(super) fn in_zeros(&self) -> bool {
        self.state == State::Zeros
    }

    /// Inside a string where only a quote, a backslash, a line end or a zero byte changes anything.
    pub(super) fn in_plain_string(&self) -> bool {
        self.in_string && !self.escaped
    }

    pub(super) fn step(&mut self, byte: u8) -> Step {
        match self.state {
            State::Between => self.between(byte),
            State::Container => self.container(byte),
            State::Tail => self.tail(byte),
            State::Scalar => self.scalar(byte),
            State::Junk => self.junk(byte),
            State::Noise => self.noise(byte),
            State::Zeros => self.zeros(byte),
            State::Lost => self.lost(byte),
        }
    }

    fn between(&mut self, byte: u8) -> Step {
        if byte.is_ascii_whitespace() {
            return Step::Skip;
        }
        if byte == 0 {
            self.has_zeros = true;
            self.state = State::Zeros;
            return Step::Inside;
        }
        if self.layout == Layout::Unknown {
            if BOM.get(self.bom) == Some(&byte) {
                self.bom += 1;
                return Step::Skip;
            }
            if byte == b'[' {
                self.layout = Layout::Array;
                return Step::Skip;
            }
            self.layout = Layout::Sequence;
        }
        let in_array = self.layout == Layout::Array;
        match byte {
            b',' if in_array => return Step::Skip,
            b']' if in_array => {
                self.layout = Layout::Sequence;
                return Step::Skip;
            }
            b'[' if in_array => self.open(byte),
            b'{' => self.open(byte),
            _ if in_array => {
                self.state = State::Scalar;
                self.in_string = byte == b'"';
            }
            _ if is_binary(byte) => self.state = State::Noise,
            _ => self.state = State::Junk,
        }
        Step::Inside
    }

    fn open(&mut self, byte: u8) {
        self.stack.clear();
        self.deeper = 0;
        self.in_string = false;
        self.escaped = false;
        self.spans_lines = false;
        self.at_line_start = false;
        self.last = byte;
        self.stack.push(Open { bracket: byte, below_other: None });
        self.state = State::Container;
    }

    fn container(&mut self, byte: u8) -> Step {
        if byte == b'\n' {
            return self.line_end();
        }
        if byte == 0 && self.layout == Layout::Sequence {
            // Never valid JSON; what stands behind the zeros is another record.
            self.in_string = false;
            self.escaped = false;
            return self.end_before_zeros();
        }
        if self.in_string {
            self.string(byte);
            return Step::Inside;
        }
        if byte.is_ascii_whitespace() {
            return Step::Inside;
        }
        let at_line_start = std::mem::take(&mut self.at_line_start);
        let before = std::mem::replace(&mut self.last, byte);
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => {
                if byte == b'{' && at_line_start && !self.value_may_follow(before) {
                    self.state = State::Between;
                    self.is_ndjson.get_or_insert(true);
                    return Step::Before { again: true };
                }
                if self.stack.len() < MAX_STACK {
                    self.nest(byte);
                } else {
                    self.deeper += 1;
                }
            }
            b'}' | b']' => return self.close(byte),
            _ => {}
        }
        Step::Inside
    }

    fn nest(&mut self, bracket: u8) {
        let below_other = match self.stack.last() {
            Some(top) if top.bracket == bracket => top.below_other,
            Some(_) => Some(self.stack.len() - 1),
            None => None,
        };
        self.stack.push(Open { bracket, below_other });
    }

    fn end_before_zeros(&mut self) -> Step {
        self.state = State::Between;
        Step::Before { again: true }
    }

    /// A line end inside a record.
    fn line_end(&mut self) -> Step {
        let broken = self.in_string || (self.layout == Layout::Sequence && self.is_ndjson == Some(true));
        if !broken {
            self.at_line_start = true;
            self.spans_lines = true;
            return Step::Inside;
        }
        if self.layout == Layout::Array {
            self.state = State::Lost;
            self.at_line_start = true;
        } else {
            self.state = State::Between;
        }
        self.in_string = false;
        self.escaped = false;
        Step::Before { again: false }
    }

    fn string(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
        } else if byte == b'\\' {
            self.escaped = true;
        } else if byte == b'"' {
            self.in_string = false;
        }
    }

    fn value_may_follow(&self, before: u8) -> bool {
        match before {
            b'[' | b':' => true,
            b',' => self.stack.last().is_some_and(|top| top.bracket == b'['),
            _ => false,
        }
    }

    /// A closing bracket. One that does not fit closes the nearest open one that it does fit.
    fn close(&mut self, byte: u8) -> Step {
        if self.deeper > 0 {
            self.deeper -= 1;
            return Step::Inside;
        }
        let opening = if byte == b'}' { b'{' } else { b'[' };
        let depth = self.stack.last().and_then(|top| {
            if top.bracket == opening { Some(self.stack.len() - 1) } else { top.below_other }
        });
        match depth {
            Some(depth) => self.stack.truncate(depth),
            None if byte == b']' && self.layout == Layout::Array => {
                self.state = State::Between;
                return Step::Before { again: true };
            }
            None => {}
        }
        if !self.stack.is_empty() {
            return Step::Inside;
        }
        if self.layout == Layout::Array {
            self.state = State::Between;
            return Step::Last;
        }
        self.state = State::Tail;
        Step::Inside
    }

    fn tail(&mut self, byte: u8) -> Step {
        match byte {
            b'\n' => {
                self.is_ndjson.get_or_insert(!self.spans_lines);
                self.state = State::Between;
                Step::Before { again: false }
            }
            b'{' => {
                self.state = State::Between;
                Step::Before { again: true }
            }
            0 => self.end_before_zeros(),
            _ if byte.is_ascii_whitespace() => Step::Inside,
            _ => {
                self.state = if is_binary(byte) { State::Noise } else { State::Junk };
                Step::Inside
            }
        }
    }

    fn scalar(&mut self, byte: u8) -> Step {
        if byte == b'\n' && self.in_string {
            self.in_string = false;
            self.escaped = false;
            self.state = State::Lost;
            self.at_line_start = true;
            return Step::Before { again: false };
        }
        if self.in_string {
            self.string(byte);
            return Step::Inside;
        }
        match byte {
            b'"' => self.in_string = true,
            b',' | b']' => {
                self.state = State::Between;
                return Step::Before { again: true };
            }
            _ => {}
        }
        Step::Inside
    }

    fn junk(&mut self, byte: u8) -> Step {
        if byte == b'\n' {
            self.state = State::Between;
            return Step::Before { again: false };
        }
        if byte == 0 {
            return self.end_before_zeros();
        }
        if byte < 0x20 && !byte.is_ascii_whitespace() {
            self.at_line_start = false;
            self.state = State::Noise;
        }
        Step::Inside
    }

    fn noise(&mut self, byte: u8) -> Step {
        if byte == b'{' && self.at_line_start {
            self.state = State::Between;
            return Step::Before { again: true };
        }
        self.at_line_start = byte == b'\n';
        Step::Inside
    }

    fn zeros(&mut self, byte: u8) -> Step {
        if byte == 0 {
            return Step::Inside;
        }
        if is_binary(byte) && self.layout != Layout::Array {
            self.layout = Layout::Sequence;
            self.at_line_start = false;
            self.state = State::Noise;
            return Step::Inside;
        }
        self.state = State::Between;
        Step::AfterZeros
    }

    fn lost(&mut self, byte: u8) -> Step {
        match byte {
            b'{' if self.at_line_start => {
                self.open(byte);
                return Step::Inside;
            }
            b']' if self.at_line_start => {
                self.layout = Layout::Sequence;
                self.state = State::Between;
            }
            b'\n' => self.at_line_start = true,
            _ if byte.is_ascii_whitespace() => {}
            _ => self.at_line_start = false,
        }
        Step::Skip
    }
}

/// Bytes that begin no line of any text.
fn is_binary(byte: u8) -> bool {
    (byte < 0x20 && !byte.is_ascii_whitespace()) || (0x7f..0xc2).contains(&byte) || byte > 0xf4
}
