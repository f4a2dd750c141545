use std::collections::BTreeMap;

use super::*;

/// Own sentences: plain ones and ones mixed with English technical words, six or more for each language.
const SENTENCES: [(&str, &[&str]); 12] = [
    (
        "en",
        &[
            "Why does my train always leave two minutes before I reach the platform?",
            "Please write a short note to my landlord about the broken heater.",
            "How can I keep basil alive on a windowsill through the winter?",
            "Explain the difference between a mutex and a semaphore with an example.",
            "The deployment fails with a timeout, what should I look at first?",
            "Summarise the attached minutes in three bullet points for the board.",
        ],
    ),
    (
        "es",
        &[
            "¿Por qué mi pan casero siempre queda demasiado duro por dentro?",
            "Escribe una carta breve para pedir vacaciones en el mes de agosto.",
            "Necesito una función que ordene la lista de usuarios por apellido.",
            "El servidor devuelve un error de timeout cuando subo archivos grandes.",
            "Cuéntame una historia corta sobre un faro abandonado y su guardián.",
            "Cómo puedo desplegar el container en Kubernetes sin perder los datos?",
        ],
    ),
    (
        "pt",
        &[
            "Por que a minha bicicleta faz barulho quando eu pedalo na subida?",
            "Escreva um convite simples para o aniversário da minha avó.",
            "Preciso de uma função que leia o arquivo e conte as palavras.",
            "Não consigo fazer o deploy da aplicação, o build termina com erro.",
            "Quais são os melhores bairros para morar em Porto com crianças?",
            "Você pode explicar como funciona o cache do navegador?",
        ],
    ),
    (
        "fr",
        &[
            "Pourquoi mes tomates ont-elles des taches noires cette année ?",
            "Rédige un courriel poli pour demander le remboursement du billet.",
            "Je voudrais une fonction qui compte les lignes vides du fichier.",
            "Le pipeline échoue à cause d'un timeout, que dois-je vérifier ?",
            "Raconte-moi une légende bretonne que les enfants aimeront.",
            "Comment déployer un container Docker sans interruption de service ?",
        ],
    ),
    (
        "de",
        &[
            "Warum knarrt meine Treppe nur im Winter und nicht im Sommer?",
            "Schreibe bitte eine kurze Einladung zum Grillabend am Samstag.",
            "Ich brauche eine Funktion, die doppelte Einträge aus der Liste entfernt.",
            "Der Build bricht mit einem Timeout ab, woran könnte das liegen?",
            "Welche Wanderwege rund um Freiburg sind auch bei Regen schön?",
            "Erkläre mir den Unterschied zwischen Thread und Prozess.",
        ],
    ),
    (
        "vi",
        &[
            "Tại sao cây xoài trước nhà tôi năm nay không ra quả?",
            "Hãy viết giúp tôi một lá thư xin nghỉ phép ba ngày.",
            "Tôi cần một hàm để sắp xếp danh sách sinh viên theo tên.",
            "Làm thế nào để deploy ứng dụng lên server mà không bị gián đoạn?",
            "Kể cho tôi nghe một câu chuyện ngắn về biển và ngư dân.",
            "Giải thích cho tôi cách hoạt động của bộ nhớ đệm trình duyệt.",
        ],
    ),
    (
        "ja",
        &[
            "駅前の自転車置き場が撤去された理由を教えてください。",
            "来週の会議の案内メールを丁寧な言葉で書いてください。",
            "リストから重複を取り除く関数を作りたいです。",
            "Dockerのbuildがtimeoutで失敗します。どこを確認すればいいですか？",
            "北海道の秋におすすめの温泉はどこですか。",
            "ReactのuseEffectが二回呼ばれるのはなぜ？",
        ],
    ),
    (
        "zh",
        &[
            "为什么我家的绿萝叶子总是发黄？",
            "请帮我写一封向老师请假的短信。",
            "我需要一个函数来统计文件里的空行数量。",
            "部署到Kubernetes的时候总是timeout，应该先检查什么？",
            "讲一个关于老渔夫和海的小故事。",
            "解释一下进程和线程的区别。",
        ],
    ),
    (
        "ko",
        &[
            "우리 집 고양이가 새벽마다 우는 이유가 뭘까요?",
            "다음 주 회의 일정을 알리는 이메일을 써 주세요.",
            "목록에서 중복된 항목을 제거하는 함수를 만들고 싶어요.",
            "Docker 이미지를 build하면 timeout 오류가 나요.",
            "제주도에서 아이와 함께 가기 좋은 곳을 알려 주세요.",
            "스레드와 프로세스의 차이를 설명해 줘.",
        ],
    ),
    (
        "ru",
        &[
            "Почему у меня зимой скрипит пол в коридоре?",
            "Напиши короткое поздравление для коллеги с юбилеем.",
            "Нужна функция, которая удаляет пустые строки из файла.",
            "Сборка падает с ошибкой timeout, что проверить в первую очередь?",
            "Расскажи сказку про старого рыбака и хитрую лису.",
            "Чем отличается поток от процесса в Linux?",
        ],
    ),
    (
        "ar",
        &[
            "لماذا تذبل أوراق الريحان على شرفتي في الصيف؟",
            "اكتب رسالة قصيرة أعتذر فيها عن التأخر في الموعد.",
            "أحتاج إلى دالة تحسب عدد الأسطر الفارغة في الملف.",
            "يفشل النشر بسبب timeout فماذا أفحص أولا؟",
            "احك لي قصة قصيرة عن صياد ومنارة قديمة.",
            "اشرح لي الفرق بين العملية والخيط.",
        ],
    ),
    (
        "hi",
        &[
            "मेरे गमले का तुलसी का पौधा सूख क्यों जाता है?",
            "मकान मालिक को एक छोटा सा पत्र लिखो कि नल टूट गया है।",
            "मुझे एक फ़ंक्शन चाहिए जो सूची से दोहराव हटा दे।",
            "Docker का build timeout के साथ रुक जाता है, क्या देखूँ?",
            "बच्चों के लिए एक छोटी कहानी सुनाओ।",
            "प्रक्रिया और थ्रेड में क्या अंतर है?",
        ],
    ),
];

fn texts<'a>(user: &'a [&'a str], completion: Option<&'a str>) -> Texts<'a> {
    Texts {
        user: user.iter().map(|text| Str::Borrowed(*text)).collect(),
        completion: completion.map(Str::Borrowed),
        tool_paths: Vec::new(),
    }
}

fn nl(user: &[&str]) -> (String, String) {
    let (value, source) = Labeller::new().label(&texts(user, None), None).nl.unwrap();
    (value.into_owned(), source.into_owned())
}

/// Share of the sentences whose language is found, and the misses.
fn accuracy(wrap: impl Fn(&str) -> String) -> (f64, Vec<String>) {
    let labeller = Labeller::new();
    let (mut right, mut misses) = (0, Vec::new());
    for (want, sentences) in SENTENCES {
        for sentence in sentences {
            let prompt = wrap(sentence);
            let got = labeller.label(&texts(&[&prompt], None), None).nl.unwrap().0;
            if got == want {
                right += 1;
            } else {
                misses.push(format!("{want} read as {got}: {sentence}"));
            }
        }
    }
    (f64::from(right) / (f64::from(right) + misses.len() as f64), misses)
}

#[test]
fn languages_of_own_sentences_are_found() {
    let total: usize = SENTENCES.iter().map(|(_, sentences)| sentences.len()).sum();
    assert!(total >= 60);
    let (share, misses) = accuracy(str::to_owned);
    assert!(share >= 0.95, "{share}: {misses:#?}");
}

#[test]
fn code_in_the_prompt_does_not_hide_its_language() {
    let fenced = |sentence: &str| {
        format!(
            "{sentence}\n```python\nfor item in collection:\n    print(item.name, item.value)\n    if item.done:\n        \
             break\n```\nhttps://example.com/some/long/path/with/english/words `let value = compute_everything()`"
        )
    };
    let (share, misses) = accuracy(fenced);
    assert!(share >= 0.95, "{share}: {misses:#?}");
    let pasted = |sentence: &str| {
        format!(
            "{sentence}\nfn main() {{\n    let total: usize = values.iter().map(|v| v.len()).sum();\n    return total;\n}}"
        )
    };
    let (share, misses) = accuracy(pasted);
    assert!(share >= 0.95, "{share}: {misses:#?}");
}

#[test]
fn scripts_decide_and_short_prompts_inherit() {
    let found = |user: &[&str]| nl(user).0;
    assert_eq!(nl(&["素数を判定して"]), ("ja".to_owned(), RULE.to_owned()));
    assert_eq!(nl(&["Why is the sky blue in the evening?"]), ("en".to_owned(), WHICHLANG.to_owned()));
    assert_eq!(found(&["Скажіть, будь ласка, котра зараз година їхнього поїзда"]), "uk");
    assert_eq!(found(&["چرا گلدان‌های من در زمستان پژمرده می‌شوند؟"]), "fa");
    assert_eq!(found(&["Πού μπορώ να βρω καλό ψωμί;"]), "el");
    assert_eq!(found(&["ทำไมต้นไม้ของฉันถึงเหี่ยว"]), "th");
    assert_eq!(found(&["מדוע הדלת חורקת בלילה"]), "he");
    assert_eq!(found(&["আমার গাছ কেন শুকিয়ে যায়"]), "bn");
    assert_eq!(found(&["ok?"]), "und");
    assert_eq!(found(&["1234567890 !!! 42 + 58 = 100"]), "und");
    assert_eq!(found(&["Warum knarrt meine Treppe nur im Winter?", "ok"]), "de");
    assert_eq!(
        found(&["Warum knarrt meine Treppe nur im Winter?", "And why does it not creak in summer?"]),
        "en"
    );
    assert_eq!(found(&["为什么叶子发黄"]), "zh");
    // The middle dot, the long sound and the sound marks are no kana.
    assert_eq!(nl(&["史蒂夫・乔布斯说过什么名言"]), ("zh".to_owned(), RULE.to_owned()));
    assert_eq!(found(&["请解释゛和゜这两个符号的意思"]), "zh");
    assert_eq!(found(&["他大喊一声啊ーー然后跑走了"]), "zh");
    assert_eq!(found(&["约翰･列侬是哪一年出生的ｰﾞﾟ"]), "zh");
    assert_eq!(found(&["スティーブ・ジョブズの名言"]), "ja");
    assert_eq!(found(&["ｽﾃｨｰﾌﾞ･ｼﾞｮﾌﾞｽﾞ"]), "ja");
    assert_eq!(found(&["```rust\nfn main() {}\n```"]), "und");
}

#[test]
fn code_is_named_by_its_fence() {
    let labeller = Labeller::new();
    let code_out = |completion: &str| {
        let label = labeller.label(&texts(&[], Some(completion)), None).code_out.unwrap();
        assert_eq!(label.1, FENCE);
        label.0.into_owned()
    };
    for (info, want) in [
        ("python", "python"),
        ("py", "python"),
        ("Python", "python"),
        ("py3", "python"),
        ("ipython", "python"),
        ("js", "javascript"),
        ("javascript", "javascript"),
        ("jsx", "javascript"),
        ("node", "javascript"),
        ("ts", "typescript"),
        ("tsx", "typescript"),
        ("typescript", "typescript"),
        ("rust", "rust"),
        ("rs", "rust"),
        ("c", "c"),
        ("h", "c"),
        ("cpp", "cpp"),
        ("c++", "cpp"),
        ("cc", "cpp"),
        ("cs", "csharp"),
        ("c#", "csharp"),
        ("csharp", "csharp"),
        ("java", "java"),
        ("kotlin", "kotlin"),
        ("kt", "kotlin"),
        ("go", "go"),
        ("golang", "go"),
        ("rb", "ruby"),
        ("ruby", "ruby"),
        ("php", "php"),
        ("swift", "swift"),
        ("sql", "sql"),
        ("postgresql", "sql"),
        ("sqlite", "sql"),
        ("plpgsql", "sql"),
        ("bash", "shell"),
        ("sh", "shell"),
        ("zsh", "shell"),
        ("console", "shell"),
        ("shell-session", "shell"),
        ("ps1", "powershell"),
        ("html", "html"),
        ("css", "css"),
        ("scss", "css"),
        ("dockerfile", "dockerfile"),
        ("docker", "dockerfile"),
        ("hcl", "hcl"),
        ("terraform", "hcl"),
        ("hs", "haskell"),
        ("ex", "elixir"),
        ("pl", "perl"),
        ("lua", "lua"),
        ("r", "r"),
        ("jl", "julia"),
        ("dart", "dart"),
        ("sol", "solidity"),
        ("objc", "objective-c"),
        ("f#", "fsharp"),
        ("scala", "scala"),
        ("vb.net", "vba"),
        ("arduino", "cpp"),
        ("brainfuck", "other"),
        ("no-such-language", "other"),
        ("json", "none"),
        ("yaml", "none"),
        ("toml", "none"),
        ("xml", "none"),
        ("diff", "none"),
        ("text", "none"),
        ("txt", "none"),
        ("markdown", "none"),
        ("log", "none"),
        ("plaintext", "none"),
        ("csv", "none"),
        ("ini", "none"),
        ("", "none"),
    ] {
        assert_eq!(code_out(&format!("Here:\n```{info}\nx\n```\n")), want, "{info}");
    }
    assert_eq!(code_out("no code at all"), "none");
}

#[test]
fn most_bytes_win_and_shell_only_alone() {
    let labeller = Labeller::new();
    let code_out = |completion: &str| labeller.label(&texts(&[], Some(completion)), None).code_out.unwrap().0;
    let long_shell = "```sh\npip install everything that is needed and more\n```\n";
    assert_eq!(code_out(long_shell), "shell");
    assert_eq!(code_out(&format!("{long_shell}```py\nx\n```")), "python");
    assert_eq!(code_out("```js\nabc\n```\n```py\nab\n```\n```py\nab\n```"), "python");
    assert_eq!(code_out("```js\nabcd\n```\n```py\nabcd\n```"), "javascript");
    assert_eq!(code_out("```json\n{\"a\": \"much longer than the code\"}\n```\n```go\nx\n```"), "go");
    let both = labeller.label(&texts(&["Fix:\n```java\nint x\n```"], Some("```kotlin\nval x\n```")), None);
    assert_eq!(both.code_in.unwrap().0, "java");
    assert_eq!(both.code_out.unwrap().0, "kotlin");
    let nothing = labeller.label(&Texts::default(), None);
    assert_eq!((nothing.nl, nothing.code_in, nothing.code_out, nothing.task), (None, None, None, None));
    assert_eq!(nothing.cat, Some(("unclassified".into(), RULE.into())));
}

#[test]
fn files_of_tool_calls_come_before_fences() {
    let labeller = Labeller::new();
    let code_out = |paths: &[&'static str]| {
        let tool_paths = paths.iter().map(|path| Str::Borrowed(*path)).collect();
        let texts = Texts { tool_paths, ..texts(&[], Some("```py\nx\n```")) };
        labeller.label(&texts, None).code_out.unwrap()
    };
    assert_eq!(code_out(&["src/main.rs", "README.md", "src/lib.rs", "a.go"]), ("rust".into(), PATH.into()));
    assert_eq!(code_out(&["C:\\work\\App.TSX"]), ("typescript".into(), PATH.into()));
    assert_eq!(code_out(&["README.md", "data.json", "Makefile"]), ("python".into(), FENCE.into()));
}

#[test]
fn labels_of_the_router_come_first_and_stay_in_closed_lists() {
    let labeller = Labeller::new();
    let sent = |value: &'static str| Some((Str::Borrowed(value), Str::Borrowed(ROUTER)));
    let texts = texts(&["Why is the sky blue in the evening?"], Some("```py\nx\n```"));
    let router = Labels {
        nl: sent("pt-BR"),
        code_in: sent("Golang"),
        code_out: sent("C++"),
        cat: sent("Marketing/SEO"),
        task: Some("code:generation".into()),
    };
    let labels = labeller.label(&texts, Some(&router));
    let want = |value: &'static str| Some((Str::Borrowed(value), Str::Borrowed(ROUTER)));
    assert_eq!((&labels.nl, &labels.code_in), (&want("pt"), &want("go")));
    assert_eq!((&labels.code_out, &labels.cat), (&want("cpp"), &want("marketing/seo")));
    assert_eq!(labels.task.as_deref(), Some("code:generation"));
    // Labelling again, from what the log kept, changes nothing.
    assert_eq!(labeller.label(&Texts::default(), Some(&labels)), labels);
    let derived = labeller.label(&texts, None);
    assert_eq!(labeller.label(&Texts::default(), Some(&derived)), derived);
    // Texts of a caller cannot hide in a label.
    let odd = (Str::Borrowed("my secret"), Str::Borrowed("my secret source"));
    let odd = Labels {
        nl: Some(odd.clone()),
        code_in: Some(odd.clone()),
        code_out: Some(odd.clone()),
        cat: Some(odd),
        task: Some("my secret".into()),
    };
    let labels = labeller.label(&texts, Some(&odd));
    assert_eq!((&labels.nl, &labels.code_in), (&want("other"), &want("other")));
    assert_eq!((&labels.code_out, &labels.cat), (&want("other"), &want("other")));
    assert_eq!(labels.task, None);
}

#[test]
fn tasks_imply_topics() {
    let labeller = Labeller::new();
    let of = |task: &'static str| {
        let router = Labels { task: Some(task.into()), ..Labels::default() };
        let labels = labeller.label(&Texts::default(), Some(&router));
        (labels.cat.unwrap().0.into_owned(), labels.task.map(Str::into_owned))
    };
    let named = |topic: &str, task: Option<&str>| (topic.to_owned(), task.map(str::to_owned));
    assert_eq!(of("code:debugging"), named("programming", Some("code:debugging")));
    assert_eq!(of("code:haiku"), named("programming", Some("code:other")));
    assert_eq!(of("roleplay_fiction"), named("roleplay", Some("roleplay_fiction")));
    assert_eq!(of("finance_trading"), named("finance", Some("finance_trading")));
    assert_eq!(of("agent:web"), named("other", Some("agent:web")));
    assert_eq!(of("gardening"), named("other", None));
}

#[test]
fn closed_lists_have_no_doubles() {
    let mut seen = BTreeMap::new();
    for (label, _) in SENTENCES {
        *seen.entry(closed::language(label)).or_insert(0) += 1;
    }
    assert!(seen.iter().all(|(label, count)| *count == 1 && *label != "other"), "{seen:?}");
    assert_eq!(closed::language("ZH-Hant"), "zh");
    assert_eq!(closed::language("no"), "nb");
    assert_eq!(closed::language("und"), "und");
    assert_eq!(closed::source("model:1f2e3d4c"), "model:1f2e3d4c");
    assert_eq!(closed::source("model:a text of a caller"), "router");
}
