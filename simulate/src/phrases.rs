//! Sentences that simulated callers write and models answer, by language. Invented for this file.

pub(crate) struct Phrases {
    /// ISO 639-1.
    pub language: &'static str,
    /// Requests for code. They name no programming language, because the reply's fence does.
    pub code: [&'static str; 5],
    /// Requests for anything else.
    pub talk: [&'static str; 6],
    /// What stands before a code block, and a plain reply.
    pub lead: [&'static str; 2],
    pub reply: [&'static str; 3],
}

/// In the order of `calibration::LANGUAGES`.
pub(crate) const PHRASES: [Phrases; 13] = [
    Phrases {
        language: "en",
        code: [
            "Please write a function that reads a list of orders and returns the total for each customer.",
            "My loop stops too early when the file is empty, can you find the mistake and correct it?",
            "Add a retry with a growing delay to this client, and keep the public interface as it is.",
            "I need a small tool that counts how often every word occurs in a text, sorted by frequency.",
            "Could you turn this recursive version into one that works without using the whole stack?",
        ],
        talk: [
            "What should I pay attention to when I rent my first flat in a city that I hardly know?",
            "Summarise the difference between weather and climate for a class of twelve year old pupils.",
            "Give me three ideas for a quiet birthday dinner with friends who do not eat meat.",
            "How do I tell my manager politely that the deadline cannot be met this month?",
            "Which stretches help against a stiff back after a long day at the desk?",
            "Write a short and friendly note that thanks our neighbours for watering the plants.",
        ],
        lead: [
            "Here is a version that does what you asked for:",
            "The following should work, I kept it short:",
        ],
        reply: [
            "Certainly. There are a few points that matter most, and I would begin with the simplest one.",
            "That depends on how much time you have, but most people start with a short list of priorities.",
            "Here is a brief suggestion that you can adapt to your own words and to the occasion.",
        ],
    },
    Phrases {
        language: "zh",
        code: [
            "请帮我写一个函数，读取订单列表并返回每位客户的总金额。",
            "文件为空的时候循环会提前结束，你能找出错误并修改吗？",
            "请给这个客户端加上重试机制，每次等待时间逐渐变长。",
            "我需要一个小工具，统计文章里每个词出现的次数并排序。",
            "能不能把这个递归的写法改成不会占满堆栈的版本？",
        ],
        talk: [
            "第一次在陌生的城市租房，我应该特别注意哪些事情？",
            "请用简单的话向小学生解释天气和气候有什么不同。",
            "朋友们都不吃肉，请给我三个安静的生日晚餐建议。",
            "我该怎样礼貌地告诉经理这个月赶不上截止日期？",
            "坐了一整天以后背部很僵硬，做哪些拉伸比较有效？",
            "请写一封简短的感谢信，谢谢邻居帮我们浇花。",
        ],
        lead: ["下面是符合要求的写法：", "可以这样实现，代码尽量简短："],
        reply: [
            "当然可以，有几点最重要，建议先从最简单的开始。",
            "这要看您有多少时间，多数人会先列一个简短的清单。",
            "这里有一个简单的建议，您可以按照自己的情况修改。",
        ],
    },
    Phrases {
        language: "ru",
        code: [
            "Напиши, пожалуйста, функцию, которая читает список заказов и считает сумму по каждому клиенту.",
            "Цикл заканчивается слишком рано, если файл пустой, найди ошибку и исправь её.",
            "Добавь в этот клиент повторные попытки с растущей паузой и не меняй интерфейс.",
            "Мне нужна программа, которая считает, как часто встречается каждое слово в тексте.",
            "Можно ли переписать эту рекурсию так, чтобы стек не переполнялся?",
        ],
        talk: [
            "На что обратить внимание, когда впервые снимаешь квартиру в незнакомом городе?",
            "Объясни школьникам простыми словами, чем погода отличается от климата.",
            "Предложи три идеи для тихого ужина с друзьями, которые не едят мяса.",
            "Как вежливо сказать начальнику, что мы не успеваем к сроку в этом месяце?",
            "Какие упражнения помогают, если спина болит после целого дня за столом?",
            "Напиши короткую записку с благодарностью соседям, которые поливали цветы.",
        ],
        lead: ["Вот вариант, который делает то, что нужно:", "Можно сделать так, код получился короткий:"],
        reply: [
            "Конечно. Самое важное можно свести к нескольким пунктам, начните с простого.",
            "Это зависит от того, сколько у вас времени, но обычно начинают со списка.",
            "Вот короткий вариант, который легко изменить под свой случай.",
        ],
    },
    Phrases {
        language: "es",
        code: [
            "Escribe por favor una función que lea una lista de pedidos y devuelva el total de cada cliente.",
            "El bucle termina demasiado pronto cuando el archivo está vacío, ¿puedes encontrar el error?",
            "Añade reintentos con una espera cada vez mayor a este cliente sin cambiar lo que ya usamos.",
            "Necesito un programa pequeño que cuente cuántas veces aparece cada palabra en un texto.",
            "¿Podrías convertir esta versión recursiva en otra que no llene toda la pila?",
        ],
        talk: [
            "¿En qué debo fijarme cuando alquilo mi primer piso en una ciudad que apenas conozco?",
            "Explica a una clase de niños la diferencia entre el tiempo y el clima con palabras sencillas.",
            "Dame tres ideas para una cena tranquila de cumpleaños con amigos que no comen carne.",
            "¿Cómo le digo a mi jefa con educación que este mes no llegamos a la fecha?",
            "¿Qué ejercicios ayudan cuando la espalda duele después de un día entero sentado?",
            "Redacta una nota breve para dar las gracias a los vecinos que regaron nuestras plantas.",
        ],
        lead: [
            "Aquí tienes una versión que hace lo que pides:",
            "Esto debería funcionar, lo he dejado corto:",
        ],
        reply: [
            "Claro que sí. Hay unos pocos puntos importantes y yo empezaría por el más sencillo.",
            "Depende del tiempo que tengas, pero casi todos empiezan con una lista corta.",
            "Aquí tienes una propuesta breve que puedes adaptar con tus propias palabras.",
        ],
    },
    Phrases {
        language: "th",
        code: [
            "ช่วยเขียนฟังก์ชันที่อ่านรายการสั่งซื้อและคืนยอดรวมของลูกค้าแต่ละคน",
            "ลูปหยุดเร็วเกินไปเมื่อไฟล์ว่าง ช่วยหาข้อผิดพลาดและแก้ไขให้หน่อย",
            "ช่วยเพิ่มการลองใหม่โดยรอนานขึ้นทุกครั้งให้กับโปรแกรมนี้",
            "ต้องการโปรแกรมเล็ก ๆ ที่นับจำนวนคำแต่ละคำในข้อความ",
            "ช่วยเปลี่ยนฟังก์ชันที่เรียกตัวเองให้ไม่ใช้หน่วยความจำมาก",
        ],
        talk: [
            "ควรระวังเรื่องอะไรบ้างเมื่อเช่าห้องครั้งแรกในเมืองที่ไม่รู้จัก",
            "ช่วยอธิบายความแตกต่างระหว่างอากาศกับภูมิอากาศให้เด็กเข้าใจ",
            "ขอสามไอเดียสำหรับมื้อเย็นวันเกิดกับเพื่อนที่ไม่กินเนื้อ",
            "จะบอกหัวหน้าอย่างสุภาพว่าเดือนนี้ส่งงานไม่ทันได้อย่างไร",
            "ท่ายืดแบบไหนช่วยเรื่องปวดหลังหลังจากนั่งทำงานทั้งวัน",
            "ช่วยเขียนข้อความสั้น ๆ ขอบคุณเพื่อนบ้านที่รดน้ำต้นไม้ให้",
        ],
        lead: ["นี่คือโค้ดที่ทำตามที่ต้องการ", "ลองใช้แบบนี้ เขียนไว้ให้สั้นที่สุด"],
        reply: [
            "ได้เลย มีไม่กี่ข้อที่สำคัญ แนะนำให้เริ่มจากข้อที่ง่ายที่สุด",
            "ขึ้นอยู่กับเวลาที่มี แต่คนส่วนใหญ่เริ่มจากรายการสั้น ๆ",
            "นี่คือข้อเสนอสั้น ๆ ที่ปรับให้เข้ากับตัวเองได้",
        ],
    },
    Phrases {
        language: "ja",
        code: [
            "注文の一覧を読み込んで、顧客ごとの合計を返す関数を書いてください。",
            "ファイルが空のときにループが早く終わってしまいます。間違いを直してください。",
            "このクライアントに、待ち時間が少しずつ長くなる再試行を追加してください。",
            "文章の中で各単語が何回出てくるかを数える小さなツールが欲しいです。",
            "この再帰の処理を、スタックを使い切らない書き方に変えられますか。",
        ],
        talk: [
            "よく知らない町で初めて部屋を借りるとき、何に気をつければよいですか。",
            "天気と気候の違いを、小学生にもわかるように説明してください。",
            "肉を食べない友人たちとの静かな誕生日の夕食を三つ提案してください。",
            "今月の締め切りに間に合わないことを、上司に丁寧に伝えたいです。",
            "一日中座っていて背中がこわばるとき、どんな体操がよいですか。",
            "植物に水をやってくれた隣の人へのお礼を短く書いてください。",
        ],
        lead: ["ご希望の動作をする例はこちらです。", "次のように書けます。できるだけ短くしました。"],
        reply: [
            "もちろんです。大切な点はいくつかありますが、まず簡単なことから始めましょう。",
            "使える時間によりますが、多くの人は短い一覧を作ることから始めます。",
            "こちらは短い案です。場面に合わせて言葉を変えてください。",
        ],
    },
    Phrases {
        language: "de",
        code: [
            "Bitte schreibe eine Funktion, die eine Liste von Bestellungen liest und die Summe je Kunde liefert.",
            "Die Schleife hört zu früh auf, wenn die Datei leer ist, kannst du den Fehler finden?",
            "Füge diesem Client Wiederholungen mit wachsender Pause hinzu, ohne die Schnittstelle zu ändern.",
            "Ich brauche ein kleines Werkzeug, das zählt, wie oft jedes Wort in einem Text vorkommt.",
            "Kannst du diese rekursive Fassung so umschreiben, dass der Stapel nicht überläuft?",
        ],
        talk: [
            "Worauf sollte ich achten, wenn ich zum ersten Mal eine Wohnung in einer fremden Stadt miete?",
            "Erkläre einer Schulklasse mit einfachen Worten den Unterschied zwischen Wetter und Klima.",
            "Nenne mir drei Ideen für ein ruhiges Abendessen mit Freunden, die kein Fleisch essen.",
            "Wie sage ich meiner Chefin höflich, dass wir den Termin in diesem Monat nicht schaffen?",
            "Welche Übungen helfen gegen einen steifen Rücken nach einem langen Tag am Schreibtisch?",
            "Schreibe einen kurzen Dank an unsere Nachbarn, die die Blumen gegossen haben.",
        ],
        lead: [
            "Hier ist eine Fassung, die das Gewünschte tut:",
            "So sollte es gehen, ich habe es kurz gehalten:",
        ],
        reply: [
            "Gerne. Einige Punkte sind besonders wichtig, und ich würde mit dem einfachsten anfangen.",
            "Das hängt davon ab, wie viel Zeit du hast, aber die meisten beginnen mit einer Liste.",
            "Hier ist ein kurzer Vorschlag, den du an deine eigenen Worte anpassen kannst.",
        ],
    },
    Phrases {
        language: "fr",
        code: [
            "Écris s'il te plaît une fonction qui lit une liste de commandes et donne le total par client.",
            "La boucle s'arrête trop tôt quand le fichier est vide, peux-tu trouver l'erreur ?",
            "Ajoute à ce client de nouvelles tentatives avec une attente qui augmente chaque fois.",
            "J'ai besoin d'un petit outil qui compte combien de fois chaque mot apparaît dans un texte.",
            "Pourrais-tu transformer cette version récursive pour qu'elle ne remplisse pas la pile ?",
        ],
        talk: [
            "À quoi dois-je faire attention quand je loue mon premier appartement dans une ville inconnue ?",
            "Explique à une classe d'enfants la différence entre la météo et le climat avec des mots simples.",
            "Donne-moi trois idées pour un dîner calme avec des amis qui ne mangent pas de viande.",
            "Comment dire poliment à ma directrice que nous ne serons pas prêts à la date prévue ?",
            "Quels exercices aident quand le dos est raide après une longue journée de bureau ?",
            "Rédige un petit mot pour remercier nos voisins qui ont arrosé les plantes.",
        ],
        lead: [
            "Voici une version qui fait ce que vous demandez :",
            "Cela devrait marcher, j'ai fait court :",
        ],
        reply: [
            "Bien sûr. Quelques points comptent plus que les autres, je commencerais par le plus simple.",
            "Cela dépend du temps dont vous disposez, mais on commence souvent par une courte liste.",
            "Voici une courte proposition que vous pouvez adapter avec vos propres mots.",
        ],
    },
    Phrases {
        language: "pt",
        code: [
            "Escreva por favor uma função que leia uma lista de pedidos e devolva o total de cada cliente.",
            "O laço termina cedo demais quando o arquivo está vazio, você consegue encontrar o erro?",
            "Adicione novas tentativas com uma espera cada vez maior a este cliente, sem mudar o resto.",
            "Preciso de um programa pequeno que conte quantas vezes cada palavra aparece em um texto.",
            "Você poderia transformar esta versão recursiva em outra que não encha toda a pilha?",
        ],
        talk: [
            "No que devo prestar atenção quando alugo meu primeiro apartamento em uma cidade que não conheço?",
            "Explique para uma turma de crianças a diferença entre o tempo e o clima com palavras simples.",
            "Dê três ideias para um jantar de aniversário tranquilo com amigos que não comem carne.",
            "Como digo à minha chefe com educação que não vamos cumprir o prazo deste mês?",
            "Quais exercícios ajudam quando as costas doem depois de um dia inteiro sentado?",
            "Escreva um bilhete curto para agradecer aos vizinhos que regaram as nossas plantas.",
        ],
        lead: [
            "Aqui está uma versão que faz o que você pediu:",
            "Isto deve funcionar, deixei o código curto:",
        ],
        reply: [
            "Claro que sim. Há alguns pontos importantes e eu começaria pelo mais simples de todos.",
            "Isso depende de quanto tempo você tem, mas quase todos começam com uma lista curta.",
            "Aqui está uma sugestão breve que você pode adaptar com as suas próprias palavras.",
        ],
    },
    Phrases {
        language: "ko",
        code: [
            "주문 목록을 읽어서 고객별 합계를 돌려주는 함수를 작성해 주세요.",
            "파일이 비어 있으면 반복문이 너무 일찍 끝나는데 오류를 찾아 고쳐 주세요.",
            "이 클라이언트에 대기 시간이 점점 길어지는 재시도를 추가해 주세요.",
            "글에서 각 단어가 몇 번 나오는지 세는 작은 도구가 필요합니다.",
            "이 재귀 방식을 스택을 다 쓰지 않는 방식으로 바꿀 수 있나요?",
        ],
        talk: [
            "잘 모르는 도시에서 처음 집을 구할 때 무엇을 조심해야 하나요?",
            "날씨와 기후의 차이를 초등학생도 알 수 있게 설명해 주세요.",
            "고기를 먹지 않는 친구들과 함께할 조용한 생일 저녁을 세 가지 추천해 주세요.",
            "이번 달 마감을 지킬 수 없다고 팀장님께 정중하게 말하고 싶어요.",
            "하루 종일 앉아 있어서 허리가 뻣뻣할 때 어떤 운동이 좋은가요?",
            "화분에 물을 준 이웃에게 짧은 감사 인사를 써 주세요.",
        ],
        lead: ["요청하신 대로 동작하는 코드입니다.", "이렇게 하면 됩니다. 최대한 짧게 썼습니다."],
        reply: [
            "물론입니다. 중요한 점이 몇 가지 있는데 가장 쉬운 것부터 시작해 보세요.",
            "시간이 얼마나 있느냐에 따라 다르지만 보통 짧은 목록부터 만듭니다.",
            "짧은 제안을 드리니 상황에 맞게 바꾸어 쓰세요.",
        ],
    },
    Phrases {
        language: "hi",
        code: [
            "कृपया एक फ़ंक्शन लिखिए जो ऑर्डर की सूची पढ़े और हर ग्राहक का कुल जोड़ बताए।",
            "फ़ाइल खाली होने पर लूप जल्दी रुक जाता है, गलती ढूँढकर ठीक कर दीजिए।",
            "इस प्रोग्राम में हर बार थोड़ा और रुककर दोबारा कोशिश करना जोड़ दीजिए।",
            "मुझे एक छोटा प्रोग्राम चाहिए जो पाठ में हर शब्द की गिनती करे।",
            "क्या आप इस तरीके को बदल सकते हैं ताकि मेमोरी पूरी न भर जाए?",
        ],
        talk: [
            "अनजान शहर में पहली बार घर किराए पर लेते समय किन बातों का ध्यान रखूँ?",
            "बच्चों को मौसम और जलवायु का अंतर आसान शब्दों में समझाइए।",
            "जो दोस्त मांस नहीं खाते, उनके साथ जन्मदिन के खाने के तीन विचार दीजिए।",
            "मैं अपने मैनेजर को विनम्रता से कैसे बताऊँ कि काम समय पर नहीं होगा?",
            "पूरे दिन बैठने के बाद पीठ अकड़ जाए तो कौन से व्यायाम अच्छे हैं?",
            "पौधों को पानी देने वाले पड़ोसियों के लिए एक छोटा धन्यवाद लिखिए।",
        ],
        lead: ["यह कोड आपकी ज़रूरत के अनुसार काम करता है।", "इसे ऐसे लिख सकते हैं, मैंने इसे छोटा रखा है।"],
        reply: [
            "ज़रूर। कुछ बातें सबसे ज़रूरी हैं, सबसे आसान बात से शुरू कीजिए।",
            "यह आपके समय पर निर्भर है, पर अधिकतर लोग एक छोटी सूची बनाते हैं।",
            "यह एक छोटा सुझाव है जिसे आप अपने शब्दों में बदल सकते हैं।",
        ],
    },
    Phrases {
        language: "ar",
        code: [
            "من فضلك اكتب دالة تقرأ قائمة الطلبات وتعيد المجموع لكل عميل.",
            "تتوقف الحلقة مبكرا عندما يكون الملف فارغا، هل يمكنك إيجاد الخطأ وتصحيحه؟",
            "أضف إلى هذا البرنامج إعادة المحاولة مع انتظار يطول في كل مرة.",
            "أحتاج إلى أداة صغيرة تحسب كم مرة تظهر كل كلمة في النص.",
            "هل يمكن تحويل هذه الطريقة إلى أخرى لا تستهلك الذاكرة كلها؟",
        ],
        talk: [
            "ما الذي يجب أن أنتبه إليه عندما أستأجر شقة لأول مرة في مدينة لا أعرفها؟",
            "اشرح للأطفال الفرق بين الطقس والمناخ بكلمات بسيطة.",
            "أعطني ثلاث أفكار لعشاء هادئ مع أصدقاء لا يأكلون اللحم.",
            "كيف أخبر مديري بلطف أننا لن ننتهي في الموعد هذا الشهر؟",
            "ما التمارين التي تساعد على آلام الظهر بعد يوم طويل في المكتب؟",
            "اكتب رسالة قصيرة لشكر الجيران الذين سقوا النباتات.",
        ],
        lead: ["هذا المثال يفعل ما طلبته:", "يمكن كتابته هكذا وقد جعلته قصيرا:"],
        reply: [
            "بالتأكيد، هناك نقاط قليلة مهمة وأقترح أن تبدأ بأسهلها.",
            "يعتمد ذلك على الوقت المتاح لك، لكن معظم الناس يبدؤون بقائمة قصيرة.",
            "هذا اقتراح قصير يمكنك تعديله بكلماتك الخاصة.",
        ],
    },
    Phrases {
        language: "vi",
        code: [
            "Hãy viết giúp tôi một hàm đọc danh sách đơn hàng và trả về tổng số tiền của từng khách hàng.",
            "Vòng lặp dừng quá sớm khi tệp trống, bạn tìm lỗi và sửa giúp tôi được không?",
            "Hãy thêm việc thử lại với thời gian chờ tăng dần cho chương trình này.",
            "Tôi cần một công cụ nhỏ đếm số lần xuất hiện của mỗi từ trong văn bản.",
            "Bạn có thể chuyển cách viết đệ quy này thành cách không làm đầy bộ nhớ không?",
        ],
        talk: [
            "Tôi nên chú ý điều gì khi lần đầu thuê nhà ở một thành phố mà tôi không biết rõ?",
            "Hãy giải thích cho học sinh sự khác nhau giữa thời tiết và khí hậu bằng lời đơn giản.",
            "Cho tôi ba ý tưởng về bữa tối sinh nhật yên tĩnh với bạn bè không ăn thịt.",
            "Làm thế nào để nói lịch sự với quản lý rằng tháng này chúng tôi không kịp hạn?",
            "Những bài tập nào giúp đỡ đau lưng sau một ngày dài ngồi làm việc?",
            "Hãy viết một lời cảm ơn ngắn gửi những người hàng xóm đã tưới cây giúp chúng tôi.",
        ],
        lead: ["Đây là đoạn mã làm đúng điều bạn cần:", "Bạn có thể viết như sau, tôi đã giữ cho ngắn gọn:"],
        reply: [
            "Được chứ. Có vài điểm quan trọng nhất và tôi sẽ bắt đầu từ điều đơn giản nhất.",
            "Điều đó tùy vào thời gian bạn có, nhưng đa số mọi người bắt đầu bằng một danh sách ngắn.",
            "Đây là một gợi ý ngắn mà bạn có thể sửa lại theo lời của mình.",
        ],
    },
];
