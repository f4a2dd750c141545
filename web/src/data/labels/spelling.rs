//! English names of label values.

/// Name of a natural language by its code; the code itself when it has none here.
pub fn language_name(code: &str) -> &str {
    match code {
        "ar" => "Arabic",
        "bn" => "Bengali",
        "cs" => "Czech",
        "de" => "German",
        "el" => "Greek",
        "en" => "English",
        "es" => "Spanish",
        "fa" => "Persian",
        "fi" => "Finnish",
        "fr" => "French",
        "he" => "Hebrew",
        "hi" => "Hindi",
        "hu" => "Hungarian",
        "id" => "Indonesian",
        "it" => "Italian",
        "ja" => "Japanese",
        "ko" => "Korean",
        "nl" => "Dutch",
        "pl" => "Polish",
        "pt" => "Portuguese",
        "ro" => "Romanian",
        "ru" => "Russian",
        "sv" => "Swedish",
        "th" => "Thai",
        "tr" => "Turkish",
        "uk" => "Ukrainian",
        "vi" => "Vietnamese",
        "zh" => "Chinese",
        "und" => "Undetermined",
        other => other,
    }
}

/// Name of a programming language by its label; the label itself when it has none here.
pub fn code_name(label: &str) -> &str {
    match label {
        "bash" | "shell" => "Shell",
        "c" => "C",
        "cpp" | "c++" => "C++",
        "csharp" | "c#" => "C#",
        "css" => "CSS",
        "go" => "Go",
        "html" => "HTML",
        "java" => "Java",
        "javascript" => "JavaScript",
        "kotlin" => "Kotlin",
        "lua" => "Lua",
        "php" => "PHP",
        "python" => "Python",
        "r" => "R",
        "ruby" => "Ruby",
        "rust" => "Rust",
        "scala" => "Scala",
        "sql" => "SQL",
        "swift" => "Swift",
        "typescript" => "TypeScript",
        "c_family" => "C family",
        "js_family" => "JavaScript family",
        "none" => "No code",
        "other" => "Other",
        other => other,
    }
}
